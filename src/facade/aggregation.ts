// A pipeline that has not run yet, and the ways to run it.
//
// Not a promise: awaiting it by mistake does nothing. What stages mean is the engine's (`src/query/aggregate.rs`).
// Invariants: nothing is asked of the engine before `toArray` and its like; all stages, and an iteration from its first to
// its last document, see one state of the data.

import type { Channel } from './channel.js'
import type { Request } from './codec.js'
import { iterate, packed } from './cursor.js'
import { invalid } from './errors.js'
import { results, startOf, subscribe } from './follow.js'
import { CALL, checkOptions, describe } from './options.js'
import { withPatterns } from './patterns.js'
import { isPlainObject } from './plain.js'
import { readPath } from './query.js'
import type { Values } from './table.js'
import type { AggregationPlan, CallOptions, Document, LiveObserver, LiveOptions, LiveResult, Stage } from './types.js'

/** A lazy pipeline: documents of type `R` come out. */
export class Aggregation<R = Document> implements AsyncIterable<R> {
  readonly #channel: Channel
  readonly #query: { readonly collection: string; readonly pipeline: readonly object[] }
  readonly #options: CallOptions | undefined

  /** @internal Made by `aggregate`. */
  constructor(channel: Channel, collection: string, pipeline: readonly Stage[], options: CallOptions | undefined) {
    checkOptions(options, CALL, 'aggregate')
    this.#channel = channel
    this.#query = { collection, pipeline: readPipeline(pipeline) }
    this.#options = options
  }

  /** All documents that come out. */
  async toArray(options?: CallOptions): Promise<R[]> {
    const { docs } = (await this.#ask('aggregate', 'toArray', { want: 'docs' }, options)) as { docs: R[] }
    return docs
  }

  /**
   * Values field by field, `null` where absent; all numbers become a Float64Array. Without fields: of all fields that come
   * out at the top of a document.
   */
  async columns<F extends Extract<keyof R, string>>(fields?: readonly F[], options?: CallOptions): Promise<{ [Field in F]: Float64Array | (R[Field] | null)[] }> {
    if (fields !== undefined && (!Array.isArray(fields) || fields.length === 0)) throw invalid(`fields are ${describe(fields)}, not paths`, { hint: "e.g. `columns(['_id', 'count'])`" })
    const wanted = fields?.map((field) => readPath(field))
    const { columns } = (await this.#ask('aggregate', 'columns', { want: 'columns', fields: wanted }, options)) as { columns: [string, Values][] }
    return Object.fromEntries(columns.map(([field, values]) => [field, packed(values)])) as { [Field in F]: Float64Array | (R[Field] | null)[] }
  }

  /** How the pipeline would be answered; nothing is read. */
  async explain(options?: CallOptions): Promise<AggregationPlan> {
    return (await this.#ask('explain', 'explain', {}, options)) as AggregationPlan
  }

  /**
   * The result now, and again after each commit, of any tab, that changes it: the pipeline is run anew, where the commit can
   * concern it. What has the same `_id` and did not change is the same object. Commits during a run, or that come while nobody
   * waits for a result, are told as one. It ends with the signal, and when the database is closed.
   */
  live(options?: LiveOptions): AsyncIterable<LiveResult<R>> {
    checkOptions(options, { signal: CALL['signal']! }, 'live')
    const start = startOf(this.#channel)
    return { [Symbol.asyncIterator]: () => results<R>(start, this.#query as object as Request, options?.signal) }
  }

  /** Calls `listener` with what `live` would give; answers how to stop that. */
  subscribe(listener: ((result: LiveResult<R>) => void) | LiveObserver<LiveResult<R>>): () => void {
    return subscribe<R>(startOf(this.#channel), this.#query as object as Request, listener)
  }

  [Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    return iterate<R>(this.#channel, this.#query, this.#options)
  }

  async #ask(op: string, method: string, more: object, options: CallOptions | undefined): Promise<unknown> {
    checkOptions(options, CALL, method)
    return this.#channel.ask({ op, ...this.#query, ...more }, { ...this.#options, ...options })
  }
}

/** Stages as the engine takes them: the order of a sort is the order of its fields. */
function readPipeline(pipeline: unknown): readonly object[] {
  if (!Array.isArray(pipeline)) throw invalid(`pipeline is ${describe(pipeline)}, not an array`, { hint: "e.g. `[{ $match: { site: 'north' } }, { $group: { _id: '$agent', n: { $sum: 1 } } }]`" })
  pipeline.forEach((stage, place) => {
    if (!isPlainObject(stage)) throw invalid(`stage ${place} is ${describe(stage)}, not an object`, { hint: "e.g. `{ $match: { site: 'north' } }`" })
  })
  return withPatterns(pipeline) as object[]
}
