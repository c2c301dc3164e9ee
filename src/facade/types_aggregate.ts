// Types of pipelines: stages, accumulators, expressions.
//
// Not code: nothing of this file is left after compiling.
// Invariants: what a stage is called and which arguments it takes is checked; what an expression computes is not, so the
// type of what comes out is for the caller to say (`aggregate<Result>(…)`).

import type { Filter, Plan, TextScore } from './types.js'

/** What is computed: a constant, a field (`'$site'`), a variable (`'$$NOW'`), an operator, or an object or array of these. */
export type Expression = null | boolean | number | bigint | string | Date | Uint8Array | readonly Expression[] | { readonly [name: string]: Expression | undefined }

/** What is computed over all documents of a group, or of a window. */
export type Accumulator =
  | { $sum: Expression } | { $avg: Expression } | { $min: Expression } | { $max: Expression }
  | { $first: Expression } | { $last: Expression } | { $push: Expression } | { $addToSet: Expression }
  | { $stdDevPop: Expression } | { $stdDevSamp: Expression }
  | { $count: { readonly [none: string]: never } }
  | { $median: { input: Expression; method?: 'approximate' } }
  | { $percentile: { input: Expression; p: readonly number[]; method?: 'approximate' } }

export type TimeUnit = 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond'

/** From where to where, seen from the document: so many before (below 0) or behind. */
export type WindowBounds = readonly [number | 'unbounded' | 'current', number | 'unbounded' | 'current']

/** A field that `$setWindowFields` computes. */
export type WindowOutput =
  | (Accumulator & { window?: { documents: WindowBounds } | { range: WindowBounds; unit?: TimeUnit } })
  | { $documentNumber: object } | { $rank: object } | { $denseRank: object }
  | { $shift: { output: Expression; by: number; default?: Expression } }
  | { $locf: Expression }

/** A sort of documents whose fields are not known. */
type AnySort = { readonly [path: string]: 1 | -1 | TextScore } | readonly (readonly [string, 1 | -1 | TextScore])[]

/** One stage. Its fields are not checked against the collection's: behind the first stage documents may be others. */
export type Stage =
  | { $match: Filter<any> & { $expr?: Expression } }
  | { $project: { readonly [path: string]: Expression } }
  | { $set: { readonly [path: string]: Expression } }
  | { $addFields: { readonly [path: string]: Expression } }
  | { $unset: string | readonly string[] }
  | { $group: { _id: Expression } & { readonly [field: string]: Accumulator | Expression } }
  | { $sort: AnySort }
  | { $limit: number }
  | { $skip: number }
  | { $unwind: string | { path: string; includeArrayIndex?: string; preserveNullAndEmptyArrays?: boolean } }
  | { $lookup: { from: string; as: string; localField?: string; foreignField?: string; let?: { readonly [name: string]: Expression }; pipeline?: readonly Stage[] } }
  | { $facet: { readonly [field: string]: readonly Stage[] } }
  | { $bucket: { groupBy: Expression; boundaries: readonly Expression[]; default?: Expression; output?: { readonly [field: string]: Accumulator } } }
  | { $sortByCount: Expression }
  | { $count: string }
  | { $replaceRoot: { newRoot: Expression } }
  | { $replaceWith: Expression }
  | { $unionWith: string | { coll: string; pipeline?: readonly Stage[] } }
  | { $sample: { size: number } }
  | { $setWindowFields: { partitionBy?: Expression; sortBy?: AnySort; output: { readonly [path: string]: WindowOutput } } }

/** How a pipeline would be answered. */
export interface AggregationPlan extends Plan {
  /** How many stages the find in front does: `$match`, `$sort`, `$skip`, `$limit`. */
  pushed: number
  /** The stages behind it. */
  stages: string[]
}
