// A query that has not run yet, and the ways to run it.
//
// Not a promise: awaiting a cursor by mistake does nothing. Not changed by its methods: each gives a new one.
// Invariants: nothing is asked of the engine before `toArray` and its like; an iteration sees one state of the data, from
// its first to its last document, and its cursor in the engine is closed whichever way it ends.

import type { Channel } from './channel.js'
import type { Request } from './codec.js'
import { invalid } from './errors.js'
import { results, startOf, subscribe } from './follow.js'
import { CALL, checkOptions, describe } from './options.js'
import { readFilter, readPath, readProjection, readSort, type Pairs } from './query.js'
import type { Path } from './paths.js'
import type { Values } from './table.js'
import type { CallOptions, Columns, ExplainMode, Filter, Key, LiveObserver, LiveOptions, LiveResult, Plan, Projected, Projection, Sort, TextScore } from './types.js'

/** How many documents of an iteration cross the boundary at once: few at first, for whoever wants the first. */
const BATCH_START = 32
const BATCH_MAX = 1024

const MODES: readonly string[] = ['queryPlanner', 'executionStats'] satisfies ExplainMode[]

interface Query {
  readonly collection: string
  readonly filter: object
  readonly sort?: Pairs
  readonly skip?: number
  readonly limit?: number
  readonly project?: Pairs
}

/** A lazy query: documents of type `T`, seen as `R`. */
export class Cursor<T, R = T> implements AsyncIterable<R> {
  readonly #channel: Channel
  readonly #query: Query
  readonly #options: CallOptions | undefined

  /** @internal Made by `find`. */
  constructor(channel: Channel, query: Query, options: CallOptions | undefined) {
    this.#channel = channel
    this.#query = query
    this.#options = options
  }

  /** @internal What `find` makes. */
  static of<T>(channel: Channel, collection: string, filter: Filter<T> | undefined, options: CallOptions | undefined): Cursor<T> {
    checkOptions(options, CALL, 'find')
    return new Cursor<T>(channel, { collection, filter: readFilter(filter) }, options)
  }

  /** In this order: `{ ts: -1 }`, or pairs. */
  sort(sort: Sort<T>): Cursor<T, R> {
    return this.#with({ sort: readSort(sort) })
  }

  /** Leaves out the first `count` documents. */
  skip(count: number): Cursor<T, R> {
    return this.#with({ skip: readCount(count, 'skip') })
  }

  /** At most `count` documents. */
  limit(count: number): Cursor<T, R> {
    return this.#with({ limit: readCount(count, 'limit') })
  }

  /** Only these fields (1), or all but these (0); `{ $meta: 'textScore' }` sets a field to the score of a text search. */
  project<const P extends Projection<T>>(projection: P & { [Field in keyof P]: P[Field] extends TextScore ? P[Field] : Field extends Path<T> ? P[Field] : never }): Cursor<T, Projected<T, P>> {
    return this.#with<Projected<T, P>>({ project: readProjection(projection) })
  }

  /** All documents. */
  async toArray(options?: CallOptions): Promise<R[]> {
    const { docs } = (await this.#ask('find', 'toArray', { want: 'docs' }, options)) as { docs: R[] }
    return docs
  }

  /** The first document; `undefined` where there is none. */
  async first(options?: CallOptions): Promise<R | undefined> {
    const limit = Math.min(1, this.#query.limit ?? 1)
    const { docs } = (await this.#ask('find', 'first', { want: 'docs', limit }, options)) as { docs: R[] }
    return docs[0]
  }

  /** How many documents. */
  async count(options?: CallOptions): Promise<number> {
    const { count } = (await this.#ask('find', 'count', { want: 'count' }, options)) as { count: number }
    return count
  }

  /** Their primary keys. */
  async keys(options?: CallOptions): Promise<Key[]> {
    const { keys } = (await this.#ask('find', 'keys', { want: 'keys' }, options)) as { keys: Key[] | Float64Array }
    return keys instanceof Float64Array ? Array.from(keys) : keys
  }

  /** The values of some fields, field by field: what a chart wants. */
  async columns<F extends Path<T>>(fields: readonly F[], options?: CallOptions): Promise<Columns<T, F>> {
    if (!Array.isArray(fields) || fields.length === 0) throw invalid(`fields are ${describe(fields)}, not paths`, { hint: "e.g. `columns(['ts', 'value'])`" })
    const wanted = fields.map((field) => readPath(field))
    const { columns } = (await this.#ask('find', 'columns', { want: 'columns', fields: wanted }, options)) as { columns: [string, Values][] }
    return Object.fromEntries(columns.map(([field, values]) => [field, packed(values)])) as Columns<T, F>
  }

  /** How the query would be answered, and what else could have been done; nothing is read, but with `'executionStats'`. */
  async explain(mode?: ExplainMode | CallOptions, options?: CallOptions): Promise<Plan> {
    const isMode = typeof mode === 'string'
    if (isMode && !MODES.includes(mode)) throw invalid(`mode of explain is ${describe(mode)}`, { hint: `it is one of ${MODES.join(', ')}` })
    return (await this.#ask('explain', 'explain', { want: 'docs', mode: isMode ? mode : null }, isMode ? options : (mode ?? options))) as Plan
  }

  /**
   * The result now, and again after each commit, of any tab, that changes it. What sorts alike comes by key, in the direction
   * of the last field of the sort. Commits that come while nobody waits for a result are told as one. It ends with the
   * signal, and when the database is closed.
   */
  live(options?: LiveOptions): AsyncIterable<LiveResult<R>> {
    checkOptions(options, { signal: CALL['signal']! }, 'live')
    const start = startOf(this.#channel)
    return { [Symbol.asyncIterator]: () => results<R>(start, this.#query as object as Request, options?.signal) }
  }

  /** Calls `listener` with what `live` would give, once for each commit; answers how to stop that. */
  subscribe(listener: ((result: LiveResult<R>) => void) | LiveObserver<LiveResult<R>>): () => void {
    return subscribe<R>(startOf(this.#channel), this.#query as object as Request, listener)
  }

  [Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    return iterate<R>(this.#channel, { ...this.#query, want: 'docs' }, this.#options)
  }

  #with<S = R>(change: Partial<Query>): Cursor<T, S> {
    return new Cursor<T, S>(this.#channel, { ...this.#query, ...change }, this.#options)
  }

  async #ask(op: string, method: string, more: object, options: CallOptions | undefined): Promise<unknown> {
    checkOptions(options, CALL, method)
    return this.#channel.ask({ op, ...this.#query, ...more }, { ...this.#options, ...options })
  }
}

/** @internal What a query finds, a few at first; its cursor in the engine is closed whichever way it ends. */
export async function* iterate<R>(channel: Channel, query: { readonly collection: string; readonly [more: string]: unknown }, options: CallOptions | undefined): AsyncGenerator<R, void, undefined> {
  const { cursor } = (await channel.ask({ op: 'cursor_open', ...query }, options)) as { cursor: number }
  const { collection } = query
  try {
    for (let max = BATCH_START; ; max = Math.min(max * 2, BATCH_MAX)) {
      const { docs, done } = (await channel.ask({ op: 'cursor_next', collection, cursor, max }, options)) as { docs: R[]; done: boolean }
      yield* docs
      if (done) return
    }
  } finally {
    // Without the caller's signal: whoever gave up still wants the cursor closed. After a close there is nothing left.
    await channel.ask({ op: 'cursor_close', collection, cursor }, undefined).catch(() => undefined)
  }
}

function readCount(count: unknown, what: string): number {
  if (!Number.isSafeInteger(count) || (count as number) < 0) throw invalid(`${what} is ${describe(count)}, not a whole number of documents`)
  return count as number
}

/** @internal All numbers: a typed array, with a buffer of its own, which may be transferred. Anything else: as it is. */
export function packed(values: Values): Values {
  if (values instanceof Float64Array) return values.byteLength === values.buffer.byteLength ? values : values.slice()
  return values.length > 0 && values.every((value) => typeof value === 'number') ? Float64Array.from(values as number[]) : values
}
