// The documents of one collection: reading and writing them, in a transaction or outside.
//
// Not the collection's structure: indexes and figures are in `collection.ts`. Not judgement either: what a filter means,
// what a key may be and what a conflict is, the engine knows.
// Invariants: what is plainly not a document, a filter or an option is refused before anything is sent; a method asks the
// engine once.

import { Aggregation } from './aggregation.js'
import type { Channel } from './channel.js'
import { Cursor } from './cursor.js'
import { invalid } from './errors.js'
import { ANY, BOOLEAN, CALL, WRITE, checkOptions, oneOf, type OptionTable } from './options.js'
import type { Comparable, Path, PathValue } from './paths.js'
import {
  readArrayFilters, readDocument, readDocuments, readFilter, readKeys, readOperations, readPath, readProjection, readSort, readUpdate,
} from './query.js'
import type {
  BulkOperation, BulkPutResult, BulkWriteOptions, BulkWriteResult, CallOptions, DeleteResult, Document, Filter, FindOneAndUpdateOptions,
  FindOneOptions, Insertable, InsertManyOptions, InsertManyResult, InsertOneResult, Key, PutResult, ReplaceOptions, Stage, Update, UpdateOptions,
  UpdateResult, WriteOptions,
} from './types.js'

const INSERT_MANY: OptionTable = { ...WRITE, ordered: BOOLEAN }
const REPLACE: OptionTable = { ...WRITE, upsert: BOOLEAN }
const UPDATE: OptionTable = { ...REPLACE, arrayFilters: ANY }
const FIND_ONE: OptionTable = { ...CALL, sort: ANY, project: ANY }
const FIND_ONE_AND_UPDATE: OptionTable = { ...UPDATE, sort: ANY, project: ANY, returnDocument: oneOf('before', 'after') }

/** `T`: as documents are read; `Input`: as they may be written, where a schema fills or changes something. */
export class Documents<T extends object = Document, Input extends object = T> {
  /** The collection's name. */
  readonly name: string
  /** @internal */
  protected readonly channel: Channel

  /** @internal Made by `collection`. */
  constructor(channel: Channel, name: string) {
    this.channel = channel
    this.name = name
  }

  // Reading

  /** The document with this key; `undefined` where there is none. */
  async get(key: Key, options?: CallOptions): Promise<T | undefined> {
    if (options !== undefined || this.channel.get === undefined) return (await this.#get([key], 'get', options))[0]
    const answer = this.channel.get(this.name, key)
    return (((answer instanceof Promise ? await answer : answer) as { docs: T[] }).docs[0] ?? undefined)
  }

  /** Documents in the order of their keys; `undefined` where there is none. */
  async bulkGet(keys: readonly Key[], options?: CallOptions): Promise<(T | undefined)[]> {
    return this.#get(readKeys(keys), 'bulkGet', options)
  }

  /** The first document that matches; `undefined` where none does. */
  async findOne(filter?: Filter<T>, options?: FindOneOptions<T>): Promise<T | undefined> {
    checkOptions(options, FIND_ONE, 'findOne')
    const answer = await this.#ask({
      op: 'find', filter: readFilter(filter), want: 'docs', limit: 1,
      sort: options?.sort && readSort(options.sort),
      project: options?.project && readProjection(options.project),
    }, options)
    return (answer as { docs: T[] }).docs[0]
  }

  /** A query, run by one of its methods. */
  find(filter?: Filter<T>, options?: CallOptions): Cursor<T> {
    return Cursor.of<T>(this.channel, this.name, filter, options)
  }

  /** A pipeline over the documents, run by one of its methods; what comes out is of type `R`. */
  aggregate<R = Document>(pipeline: readonly Stage[], options?: CallOptions): Aggregation<R> {
    return new Aggregation<R>(this.channel, this.name, pipeline, options)
  }

  /** How many documents match. */
  async countDocuments(filter?: Filter<T>, options?: CallOptions): Promise<number> {
    checkOptions(options, CALL, 'countDocuments')
    return ((await this.#ask({ op: 'count', filter: readFilter(filter) }, options)) as { count: number }).count
  }

  /** The different values at a path, each once. */
  async distinct<P extends Path<T>>(field: P, filter?: Filter<T>, options?: CallOptions): Promise<Element<PathValue<T, P>>[]> {
    checkOptions(options, CALL, 'distinct')
    const answer = await this.#ask({ op: 'distinct', field: readPath(field), filter: readFilter(filter) }, options)
    return (answer as { values: Element<PathValue<T, P>>[] }).values
  }

  // Writing

  /** Adds a document; `already_exists` where its key or a unique value is taken. */
  async insertOne(document: Insertable<Input>, options?: WriteOptions): Promise<InsertOneResult> {
    checkOptions(options, WRITE, 'insertOne')
    const gathered = this.channel.insert?.(this.name, readDocument(document), options)
    if (gathered !== undefined) return gathered
    const { insertedIds, ...rest } = (await this.#write({ op: 'insert', docs: [readDocument(document)] }, options)) as InsertManyResult
    return { insertedId: insertedIds[0]!, ...rest }
  }

  /** Adds documents: all or none, unless `ordered` is `false`. */
  async insertMany(documents: readonly Insertable<Input>[], options?: InsertManyOptions): Promise<InsertManyResult> {
    checkOptions(options, INSERT_MANY, 'insertMany')
    return (await this.#write({ op: 'insert', docs: readDocuments(documents), ordered: options?.ordered }, options)) as InsertManyResult
  }

  /** Adds a document, or replaces the one with its key. */
  async put(document: Insertable<Input>, options?: WriteOptions): Promise<PutResult> {
    checkOptions(options, WRITE, 'put')
    const { keys, ...rest } = (await this.#write({ op: 'put', docs: [readDocument(document)] }, options)) as BulkPutResult
    return { key: keys[0]!, ...rest }
  }

  /** Adds or replaces documents: all or none. */
  async bulkPut(documents: readonly Insertable<Input>[], options?: WriteOptions): Promise<BulkPutResult> {
    checkOptions(options, WRITE, 'bulkPut')
    return (await this.#write({ op: 'put', docs: readDocuments(documents) }, options)) as BulkPutResult
  }

  /** Changes the first document that matches. */
  async updateOne(filter: Filter<T>, update: Update<T>, options?: UpdateOptions): Promise<UpdateResult> {
    return this.#update('updateOne', false, filter, update, options)
  }

  /** Changes every document that matches. */
  async updateMany(filter: Filter<T>, update: Update<T>, options?: UpdateOptions): Promise<UpdateResult> {
    return this.#update('updateMany', true, filter, update, options)
  }

  /** Puts another document in the place of the first that matches; its key stays. */
  async replaceOne(filter: Filter<T>, replacement: Insertable<Input>, options?: ReplaceOptions): Promise<UpdateResult> {
    checkOptions(options, REPLACE, 'replaceOne')
    const request = { op: 'replace', filter: readFilter(filter), doc: readDocument(replacement), upsert: options?.upsert ?? false }
    return (await this.#write(request, options)) as UpdateResult
  }

  /** Changes the first document that matches, and answers with it; `undefined` where none does. */
  async findOneAndUpdate(filter: Filter<T>, update: Update<T>, options?: FindOneAndUpdateOptions<T>): Promise<T | undefined> {
    checkOptions(options, FIND_ONE_AND_UPDATE, 'findOneAndUpdate')
    const answer = await this.#write({
      op: 'find_and_update', filter: readFilter(filter), update: readUpdate(update), upsert: options?.upsert ?? false,
      sort: options?.sort && readSort(options.sort), return_document: options?.returnDocument ?? 'before',
      project: options?.project && readProjection(options.project), array_filters: readArrayFilters(options?.arrayFilters),
    }, options)
    return (answer as { doc: T | null }).doc ?? undefined
  }

  /** Removes the first document that matches. */
  async deleteOne(filter: Filter<T>, options?: WriteOptions): Promise<DeleteResult> {
    return this.#delete('deleteOne', false, filter, options)
  }

  /** Removes every document that matches; `{}` matches all. */
  async deleteMany(filter: Filter<T>, options?: WriteOptions): Promise<DeleteResult> {
    return this.#delete('deleteMany', true, filter, options)
  }

  /** Removes the documents with these keys; keys that are not there are passed over. */
  async bulkDelete(keys: readonly Key[], options?: WriteOptions): Promise<DeleteResult> {
    checkOptions(options, WRITE, 'bulkDelete')
    return (await this.#write({ op: 'delete_keys', keys: readKeys(keys) }, options)) as DeleteResult
  }

  /** Carries out several operations in one commit: all or none. */
  async bulkWrite(operations: readonly BulkOperation<T, Input>[], options?: BulkWriteOptions): Promise<BulkWriteResult> {
    checkOptions(options, INSERT_MANY, 'bulkWrite')
    return (await this.#write({ op: 'bulk_write', operations: readOperations(operations), ordered: options?.ordered ?? true }, options)) as BulkWriteResult
  }

  async #get(keys: readonly unknown[], method: string, options: CallOptions | undefined): Promise<(T | undefined)[]> {
    checkOptions(options, CALL, method)
    const { docs } = (await this.#ask({ op: 'get', keys }, options)) as { docs: (T | null)[] }
    return docs.map((doc) => doc ?? undefined)
  }

  async #update(method: string, multi: boolean, filter: Filter<T>, update: Update<T>, options: UpdateOptions | undefined): Promise<UpdateResult> {
    checkOptions(options, UPDATE, method)
    const request = {
      op: 'update', filter: readFilter(filter), update: readUpdate(update), multi, upsert: options?.upsert ?? false,
      array_filters: readArrayFilters(options?.arrayFilters),
    }
    return (await this.#write(request, options)) as UpdateResult
  }

  async #delete(method: string, multi: boolean, filter: Filter<T>, options: WriteOptions | undefined): Promise<DeleteResult> {
    checkOptions(options, WRITE, method)
    // To forget the filter must not mean to lose everything.
    if (filter === undefined) throw invalid(`${method} needs a filter`, { hint: 'pass `{}` to mean every document; nothing was deleted' })
    return (await this.#write({ op: 'delete', filter: readFilter(filter), multi }, options)) as DeleteResult
  }

  #ask(request: object, options: CallOptions | undefined): Promise<unknown> {
    return this.channel.ask({ ...request, collection: this.name }, options)
  }

  #write(request: object, options: WriteOptions | undefined): Promise<unknown> {
    return this.channel.write({ ...request, collection: this.name }, options)
  }
}

/** Of an array field, `distinct` tells the elements. */
type Element<V> = Exclude<Exclude<Comparable<V>, readonly unknown[]>, undefined>
