/// <reference lib="esnext.disposable" preserve="true" />
// Every public type of data, requests and answers.
//
// Not code: nothing of this file is left after compiling. The types of paths are in `paths.ts`.
// Invariant: written by hand; what the wasm's generator says about types is not shown to anybody.

import type { OutputOf } from './infer.js'
import type { ArrayPath, Comparable, DatePath, DeepPartial, ElementOf, IsAny, Leaf, NumericPath, Path, PathValue } from './paths.js'
import type { TextIndexSpec, TextScore, TextSearch } from './types_text.js'

export type * from './types_aggregate.js'
export type * from './types_live.js'
export type * from './types_plan.js'
export type * from './types_slow.js'
export type * from './types_text.js'

// Values and keys

/** What a document may hold. A number is never NaN, a bigint fits into 64 bits. */
export type Value = null | boolean | number | bigint | string | Date | Uint8Array | readonly Value[] | { readonly [field: string]: Value | undefined }

/** A document of which nothing is known: any fields. */
export type Document = { [field: string]: any }

/** One part of a primary key. */
export type KeyPart = string | number | bigint | Date
/** A primary key: one value or, of a compound key, one for each of its fields. */
export type Key = KeyPart | readonly KeyPart[]

/** Document types by the name of their collection. */
export type Schemas = { [collection: string]: object }

/** What may be inserted: a document, or one without its `id`, which then is made (a UUIDv7). */
export type Insertable<T> = T | (T extends { id: infer Id } ? (string extends Id ? Omit<T, 'id'> & { id?: Id } : T) : T)

// Options

/** What every asynchronous method takes. Giving up before the commit guarantees that there is no effect. */
export interface CallOptions {
  /** Gives up when it aborts. */
  signal?: AbortSignal | undefined
  /** Gives up after this many milliseconds. */
  timeoutMs?: number | undefined
}

/** `relaxed` survives a killed process, `strict` also a power loss. */
export type Durability = 'relaxed' | 'strict'

export interface WriteOptions extends CallOptions {
  /** Instead of the database's own. */
  durability?: Durability | undefined
}

export interface InsertManyOptions extends WriteOptions {
  /** `true`: all or nothing. `false`: those that can be; the rest is told in `writeErrors`. [`true`] */
  ordered?: boolean | undefined
}

export interface ReplaceOptions extends WriteOptions {
  /** Insert a document made from filter and update where none matches. [`false`] */
  upsert?: boolean | undefined
}

export interface UpdateOptions extends ReplaceOptions {
  /** Which elements `$[name]` in a path means: `[{ 'name.field': condition }]`, one filter for each name. */
  arrayFilters?: readonly Document[] | undefined
}

export interface FindOneOptions<T> extends CallOptions {
  sort?: Sort<T> | undefined
  project?: Projection<T> | undefined
}

export interface FindOneAndUpdateOptions<T> extends UpdateOptions {
  sort?: Sort<T> | undefined
  project?: Projection<T> | undefined
  /** Which state of the document to answer with. [`before`] */
  returnDocument?: 'before' | 'after' | undefined
}

export interface BulkWriteOptions extends WriteOptions {
  /** Whether the first failing operation ends the work. In both cases nothing is written when one fails. [`true`] */
  ordered?: boolean | undefined
}

export interface TransactionOptions extends WriteOptions {
  /** How often the function is run again after a conflict. [32] */
  retry?: number | undefined
}

export interface CreateIndexOptions extends CallOptions {
  /** Told now and then, and at the end, how many of the documents are in the index. */
  onProgress?: ((progress: IndexProgress) => void) | undefined
}

export interface IndexProgress {
  done: number
  total: number
}

// Filters, orders, projections, updates

/** The types that `$type` names; a number is a `double`, a whole one an `int` too, a bigint a `long`. */
export type TypeName = 'double' | 'string' | 'object' | 'array' | 'binData' | 'bool' | 'date' | 'null' | 'int' | 'long' | 'number'

/** A pattern, of text. */
type Pattern<V> = Extract<V, string> extends never ? never : RegExp
/** What an element of an array is asked: a filter for objects, else conditions. */
type ElementCondition<E> = IsAny<E> extends true ? any : [E] extends [Leaf] ? Condition<E> : Filter<E>

/** Conditions on what lies at a path. */
export interface Condition<V> {
  $eq?: V | null
  $ne?: V | null
  $gt?: V
  $gte?: V
  $lt?: V
  $lte?: V
  $in?: readonly (V | Pattern<V> | null)[]
  $nin?: readonly (V | Pattern<V> | null)[]
  $exists?: boolean
  $type?: TypeName | number | readonly (TypeName | number)[]
  /** A pattern, of ECMA-262's syntax without look-around and back-references. */
  $regex?: Extract<V, string> extends never ? never : string | RegExp
  /** `i` ignores case, `m` and `s` as in JavaScript, `x` ignores blanks and comments. */
  $options?: string
  $mod?: readonly [divisor: number | bigint, rest: number | bigint]
  $not?: Condition<V> | Pattern<V>
  /** How many elements an array has. */
  $size?: number | bigint
  $all?: readonly (V | Pattern<V> | { $elemMatch: ElementCondition<ElementOf<V>> } | null)[]
  /** What one element is to pass by itself. */
  $elemMatch?: [ElementOf<V>] extends [never] ? never : ElementCondition<ElementOf<V>>
}

/** Which documents: values or conditions by path; all must hold. What is missing is compared as null. */
export type Filter<T> = { [P in Path<T>]?: Comparable<PathValue<T, P>> | Condition<Comparable<PathValue<T, P>>> | Pattern<Comparable<PathValue<T, P>>> | null } & {
  $and?: readonly Filter<T>[]
  $or?: readonly Part<T>[]
  $nor?: readonly Part<T>[]
  /** An expression of pipelines that is true: neither missing, null, false nor 0. */
  $expr?: unknown
  /** What occurs in the text of a document; needs an index with `type: 'text'`. See `docs/text.md`. */
  $text?: TextSearch
}
/** Text is searched for the whole of a filter, not for a part of which only one has to hold. */
type Part<T> = Filter<T> & { $text?: never }

/**
 * 1 ascending, -1 descending; the first named field counts most. Pairs where a field's name is a number. The score of a text
 * search, the greatest first, is `score: { $meta: 'textScore' }`.
 */
export type Sort<T> =
  | { [P in Path<T> | 'score']?: (P extends Path<T> ? 1 | -1 : never) | TextScore }
  | readonly (readonly [Path<T>, 1 | -1] | readonly [string, TextScore])[]

/** Fields wanted (1), or not wanted (0), and where to put the score of a text search; not both 1 and 0, but that the key, which comes along unasked, may be 0 beside others. */
export type Projection<T> = { [P in Path<T> | 'score']?: (P extends Path<T> ? 0 | 1 : never) | TextScore }

type Head<P> = P extends `${infer H}.${string}` ? H : P

/** What a projection leaves of a document. */
export type Projected<T, P> = string extends keyof T ? T : keyof Scores<P> extends never ? Left<T, P> : Left<T, P> & Scores<P>
type Scores<P> = { -readonly [K in keyof P as P[K] extends TextScore ? K : never]: number }
type Left<T, P> =
  Exclude<P[keyof P], TextScore> extends 0 ? Omit<T, Extract<keyof P, keyof T>>
  : { [K in keyof T as K extends Head<Wanted<P>> ? K : never]: K extends keyof P ? T[K] : DeepPartial<T[K]> }
type Wanted<P> = { [K in keyof P]: P[K] extends 1 ? K : never }[keyof P]

/** A path to elements of arrays: `rows.$[].done`, `rows.$[name].done` with `arrayFilters`, `rows.$.done`. */
type ElementPath = `${string}.$${string}`
type At<Operand> = Operand & { [P in ElementPath]?: any }

/** Elements for `$push`: where they go, in which order all stand then, and how many stay. */
export interface Pushed<E> {
  $each: readonly E[]
  /** From the start or, negative, from the end. [the end] */
  $position?: number | bigint
  /** Of the elements themselves, or of fields of them. */
  $sort?: 1 | -1 | { readonly [field: string]: 1 | -1 }
  /** The first so many or, negative, the last. */
  $slice?: number | bigint
}

/** An operation on the bits of a number. */
type Bits<V> = { and: V } | { or: V } | { xor: V }

/** What to change. */
export interface Update<T> {
  $set?: At<{ [P in Path<T>]?: PathValue<T, P> }>
  /** The same, where a document is inserted. */
  $setOnInsert?: At<{ [P in Path<T>]?: PathValue<T, P> }>
  /** Removes fields; the values mean nothing. */
  $unset?: At<{ [P in Path<T>]?: true | 1 | '' }>
  /** Adds to numbers; a field that is not there begins at 0. */
  $inc?: At<{ [P in NumericPath<T>]?: Extract<PathValue<T, P>, number | bigint> }>
  /** Multiplies numbers; a field that is not there becomes 0. */
  $mul?: At<{ [P in NumericPath<T>]?: Extract<PathValue<T, P>, number | bigint> }>
  /** Changes the bits of whole numbers, as 64-bit integers have them; a field that is not there begins at 0. */
  $bit?: At<{ [P in NumericPath<T>]?: Bits<Extract<PathValue<T, P>, number | bigint>> }>
  /** Sets the time at which the update is asked for, the same in all documents. */
  $currentDate?: At<{ [P in DatePath<T>]?: true | { $type: 'date' } }>
  /** Sets what is less than the present value. */
  $min?: At<{ [P in Path<T>]?: PathValue<T, P> }>
  /** Sets what is greater than the present value. */
  $max?: At<{ [P in Path<T>]?: PathValue<T, P> }>
  /** Gives a field another name. */
  $rename?: { [P in Path<T>]?: string }
  /** Adds an element, or several. */
  $push?: At<{ [P in ArrayPath<T>]?: ElementOf<PathValue<T, P>> | Pushed<ElementOf<PathValue<T, P>>> }>
  /** Adds those that are not there yet. */
  $addToSet?: At<{ [P in ArrayPath<T>]?: ElementOf<PathValue<T, P>> | { $each: readonly ElementOf<PathValue<T, P>>[] } }>
  /** Removes the last element (1), or the first (-1). */
  $pop?: At<{ [P in ArrayPath<T>]?: 1 | -1 }>
  /** Removes the elements that are equal to a value, or pass a condition. */
  $pull?: At<{ [P in ArrayPath<T>]?: ElementOf<PathValue<T, P>> | Condition<ElementOf<PathValue<T, P>>> | ElementCondition<ElementOf<PathValue<T, P>>> }>
  /** Removes the elements that are equal to one of the values. */
  $pullAll?: At<{ [P in ArrayPath<T>]?: readonly ElementOf<PathValue<T, P>>[] }>
}

// Answers

/** What every acknowledged write says. */
export interface Commit {
  /** The commit's number; it only grows. */
  seq: number
  /** What the acknowledgement is worth. */
  durability: Durability
}

/** In a transaction nothing is committed yet: the answer of `transaction` is what counts. */
export type Written<R> = R & Partial<Commit>

export interface InsertOneResult extends Partial<Commit> { insertedId: Key }
/** What is wrong with a document. */
export interface Violation {
  /** Where in the document, as a JSON Pointer (RFC 6901); empty for the document itself. */
  pointer: string
  /** The keyword that does not hold. */
  keyword: string
  /** Where this keyword stands in the schema. */
  schemaPointer: string
  /** What is wrong; goes on behind the place: `is 4, below the minimum 5`. */
  reason: string
}
export interface WriteError {
  index: number
  code: string
  message: string
  /** Where a document does not fit its schema. */
  details?: { violations?: Violation[] }
}
export interface InsertManyResult extends Partial<Commit> {
  /** In the order of the documents; `null` for one that was not written. */
  insertedIds: (Key | null)[]
  /** Only of `ordered: false`. */
  writeErrors?: WriteError[]
}
export interface PutResult extends Partial<Commit> { key: Key }
export interface BulkPutResult extends Partial<Commit> { keys: Key[] }
export interface UpdateResult extends Partial<Commit> { matchedCount: number; modifiedCount: number; upsertedId?: Key }
export interface DeleteResult extends Partial<Commit> { deletedCount: number }
export interface BulkWriteResult extends Partial<Commit> {
  insertedCount: number
  insertedIds: Key[]
  matchedCount: number
  modifiedCount: number
  deletedCount: number
  upsertedCount: number
}

/** One operation of `bulkWrite`. */
export type BulkOperation<T, Input = T> =
  | { insertOne: { document: Insertable<Input> } }
  | { updateOne: { filter: Filter<T>; update: Update<T>; upsert?: boolean; arrayFilters?: readonly Document[] } }
  | { updateMany: { filter: Filter<T>; update: Update<T>; upsert?: boolean; arrayFilters?: readonly Document[] } }
  | { replaceOne: { filter: Filter<T>; replacement: Input; upsert?: boolean } }
  | { deleteOne: { filter: Filter<T> } }
  | { deleteMany: { filter: Filter<T> } }

/** Values by field, one for each document, `null` where absent; all numbers become a Float64Array. */
export type Columns<T, F extends string> = { [Field in F]: Float64Array | (PathValue<T, Field> | null)[] }

// Schemas

/** A JSON Schema, 2020-12. */
export interface JsonSchema { readonly [keyword: string]: unknown }

/** What a Standard Schema says is wrong; https://standardschema.dev. */
export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}
type StandardResult = { readonly value: unknown; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] }

/** A schema object of a library that follows the standard; https://standardschema.dev, https://standardschema.dev/json-schema. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult | Promise<StandardResult>
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>
      readonly output: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>
    } | undefined
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

// Migrations

/** By version: what a document of the version before becomes. Called anywhere, perhaps several times for a document. */
export type Migrate = { readonly [version: number]: (document: any) => object | Promise<object> }

export interface MigrationProgress {
  collection: string
  /** To which the documents are brought. */
  version: number
  /** First all of it is tried, then written. */
  step: 'trial' | 'write'
  done: number
  /** Of a trial it is not known. */
  total?: number
}

/** A document that cannot be migrated. */
export interface MigrationFailure {
  key?: Key
  code: string
  message: string
  violations?: Violation[]
}

/** What a migration would do. */
export interface MigrationReport {
  /** Older documents that were tried. */
  documents: number
  /** Those that would be different afterwards. */
  changed: number
  /** Those that cannot be migrated, up to 100; with as many, not all documents were tried. */
  failed: MigrationFailure[]
}

// Indexes, collections, the database

/** An index in full. One or more paths; over an array field there is an entry for each element. */
export interface IndexSpec<T = Document> {
  /** [the fields, joined by `_`] */
  name?: string | undefined
  fields: Path<T> | readonly Path<T>[]
  unique?: boolean | undefined
  /** Leaves out documents that have none of the fields. */
  sparse?: boolean | undefined
  type?: undefined
  weights?: undefined
}

/** A field, several fields, or an index in full. */
export type IndexInput<T> = Path<T> | readonly Path<T>[] | IndexSpec<T> | TextIndexSpec<T>

export interface IndexInfo {
  name: string
  fields: string[]
  unique: boolean
  sparse: boolean
  /** Only a `ready` index answers queries. */
  state: 'ready' | 'building'
  /** Whether some document has an array at one of its fields. */
  multi: boolean
  /** An index of words; none is one of values. */
  type?: 'text'
  weights?: { [field: string]: number }
}

export interface CollectionConfig<T = Document> {
  /** The field, or fields, of the primary key. [as it is stored; `id` for a new collection] */
  key?: Path<T> | readonly Path<T>[] | undefined
  indexes?: readonly IndexInput<T>[] | undefined
  /**
   * What documents have to be: a JSON Schema (2020-12), or a Standard Schema object as zod, valibot and arktype make them.
   * Every write is held against it; see `docs/schemas.md`.
   */
  schema?: JsonSchema | StandardSchema | undefined
  /**
   * How a Standard Schema is held: as the JSON Schema that says the same, by the engine, or called for each document.
   * [`compiled` where it can be, else `called`]
   */
  validation?: 'compiled' | 'called' | undefined
  /** Which version of itself the program expects of the documents; contexts that know an older one may only read. [1] */
  version?: number | undefined
  /** By version: what a document of the version before becomes. It must keep its key. */
  migrate?: Migrate | undefined
}

export interface CollectionInfo {
  name: string
  key: string | string[]
  documents?: number
}

/** Figures about stored data; there may be more than these. */
export interface Stats {
  documents: number
  bytes: number
  [figure: string]: unknown
}

/** Where a database is kept, if not in IndexedDB: made by `memory()`. */
export interface StorageChoice {
  readonly kind: 'memory'
}

/** What is needed of a `Worker`; its script is, or imports, `hyphadb/worker`. */
export interface WorkerLike {
  postMessage(message: any, transfer: any[]): void
  addEventListener(type: string, listener: (event: any) => void): void
  terminate(): unknown
}

export interface OpenConfig<S extends Schemas = Schemas> extends CallOptions {
  name: string
  collections?: { readonly [Name in keyof S]: CollectionConfig<OutputOf<S[Name]>> } | undefined
  /** [IndexedDB] */
  storage?: StorageChoice | undefined
  /** What a write is worth that does not say it itself. [`relaxed`] */
  durability?: Durability | undefined
  /** Names of the object stores. */
  databases?: { main?: string; backup?: string; cache?: string } | undefined
  /** Bytes of blocks kept in memory. */
  cacheBytes?: number | undefined
  /** Whether, behind the first read, all that fits into `cacheBytes` is brought into memory, a few milliseconds at a time. [`true`] */
  preload?: boolean | undefined
  /** What is worth telling. `queryTime`: milliseconds from which a query is slow, see `slowQueries`. [1000] */
  alertThresholds?: { queryTime?: number | undefined } | undefined
  /** The same in the spelling of configuration files. */
  alert_thresholds?: { query_time?: number | undefined } | undefined
  /** Told how far the migrations are that the opening waits for. */
  onMigration?: ((progress: MigrationProgress) => void) | undefined
  /** Opens a database as it is, although it was lost or rolled back since it was last open here. */
  acceptLoss?: boolean | undefined
  /**
   * Where the engine runs: here, or in a dedicated worker, so that its work never holds up this thread. With a bundler that
   * does not know workers by itself, serve `hyphadb/worker` as a script of its own, and say where it is. [`inline`]
   */
  thread?: 'inline' | 'worker' | { worker: string | URL | (() => WorkerLike) } | undefined
  /** The engine, where it does not lie beside the script: a URL, a Response, bytes, or a WebAssembly.Module. */
  wasm?: string | object | undefined
}

/** What was committed, here or in another tab or worker. */
export interface Change {
  seq: number
  /** Whether this context wrote it. */
  own: boolean
  /** Too much happened to tell: read anew. */
  reset: boolean
  changes: readonly { collection: string; kind: 'insert' | 'update' | 'delete'; key: Key }[]
}

/** What happened to the storage under an open database. */
export interface StorageEvent {
  /** `lost`: gone, being opened again. `reopened`: here again. `deleted`: another context deleted the database. */
  type: 'lost' | 'reopened' | 'deleted'
}

/** Events by name. */
export interface Events {
  change: Change
  storage: StorageEvent
}
