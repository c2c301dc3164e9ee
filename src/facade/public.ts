// What every entry exports besides `open` and `deleteDatabase`.
//
// Not a place for code.

export { HyphaError, type ErrorCode, type ErrorDetails } from './errors.js'
export { liveQuery } from './live_query.js'
export { memory } from './storage.js'
export type { Aggregation } from './aggregation.js'
export type { Collection } from './collection.js'
export type { Cursor } from './cursor.js'
export type { Database } from './database.js'
export type { Documents } from './documents.js'
export type { FromSchema, InferInput, InferOutput, Typed } from './infer.js'
export type { Transaction } from './transaction.js'
export type { Comparable, DeepPartial, NumericPath, Path, PathValue } from './paths.js'
export type * from './types.js'
