// Filters, updates, orders and projections as callers give them, and as the engine takes them.
//
// Not their meaning: which operators there are and what they do is the engine's (`src/query.rs`).
// Invariant: order matters in a sort and a projection, so they cross the boundary as lists of pairs.

import { invalid, quote } from './errors.js'
import { describe } from './options.js'
import { withPatterns } from './patterns.js'
import { isPlainObject } from './plain.js'
import type { TextScore } from './types.js'

/** A field and its direction, or whether it is wanted; or that it stands for the score of a text search. */
export type Pairs = (readonly [string, number | TextScore])[]

/** A filter; none means all. */
export function readFilter(filter: unknown): object {
  if (filter === undefined) return {}
  if (!isPlainObject(filter)) throw invalid(`filter is ${describe(filter)}, not an object`, { hint: "e.g. `{ site: 'north', ts: { $gte: 5 } }`; `{}` means all" })
  return withPatterns(filter) as object
}

/** Filters of the elements that `$[name]` means; none where there are none. */
export function readArrayFilters(filters: unknown): readonly unknown[] | undefined {
  if (filters === undefined) return undefined
  if (!Array.isArray(filters)) throw invalid(`option \`arrayFilters\` is ${describe(filters)}, not an array`, { hint: "e.g. `[{ 'row.n': 5 }]` for the update `{ $set: { 'rows.$[row].done': true } }`" })
  return withPatterns(filters) as unknown[]
}

/** An update: operators only. */
export function readUpdate(update: unknown): object {
  if (!isPlainObject(update)) throw invalid(`update is ${describe(update)}, not an object`, { hint: 'e.g. `{ $set: { name: 1 } }`' })
  const names = Object.keys(update)
  const field = names.find((name) => !name.startsWith('$'))
  if (field !== undefined) throw invalid(`update has a field ${quote(field)} where an operator must stand`, { hint: `write \`{ $set: { ${field}: … } }\`, or call \`replaceOne\`` })
  if (names.length === 0) throw invalid('update is empty', { hint: 'e.g. `{ $set: { name: 1 } }`' })
  return withPulled(update)
}

/** `$pull` has conditions in it. */
function withPulled(update: Record<string, unknown>): object {
  const pulled = withPatterns(update['$pull'])
  return pulled === update['$pull'] ? update : { ...update, $pull: pulled }
}

/** Operations of a bulk write. What they may be is the engine's to judge. */
export function readOperations(operations: unknown): readonly unknown[] {
  if (!Array.isArray(operations)) throw invalid(`operations are ${describe(operations)}, not an array`, { hint: 'e.g. `[{ insertOne: { document } }, { deleteOne: { filter } }]`' })
  return operations.map((operation: unknown) => {
    if (!isPlainObject(operation)) return operation
    const [name, body] = Object.entries(operation)[0] ?? []
    if (name === undefined || !isPlainObject(body) || body['filter'] === undefined) return operation
    const read: Record<string, unknown> = { ...body, filter: withPatterns(body['filter']), arrayFilters: withPatterns(body['arrayFilters']) }
    if (isPlainObject(body['update'])) read['update'] = withPulled(body['update'])
    return { ...operation, [name]: read }
  })
}

/** A document: an object, not an array, not null. */
export function readDocument(document: unknown, index?: number): object {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    const which = index === undefined ? 'document' : `document ${index}`
    throw invalid(`${which} is ${describe(document)}, not an object`, { hint: 'pass a plain object; nothing was written', details: index === undefined ? {} : { index } })
  }
  return document
}

/** Documents: an array of objects. */
export function readDocuments(documents: unknown): readonly object[] {
  if (!Array.isArray(documents)) throw invalid(`documents are ${describe(documents)}, not an array`, { hint: 'for a single one there are `insertOne` and `put`' })
  for (let index = 0; index < documents.length; index++) readDocument(documents[index], index)
  return documents as object[]
}

/** Keys: an array. What a key may be is the engine's to judge. */
export function readKeys(keys: unknown): readonly unknown[] {
  if (!Array.isArray(keys)) throw invalid(`keys are ${describe(keys)}, not an array`, { hint: 'for a single one there is `get`' })
  return keys
}

/** A path where one is needed. */
export function readPath(path: unknown): string {
  if (typeof path !== 'string' || path === '') throw invalid(`field is ${describe(path)}, not a path`, { hint: "e.g. `'site'` or `'address.city'`" })
  return path
}

const SCORE: TextScore = { $meta: 'textScore' }

function isScore(value: unknown): boolean {
  return isPlainObject(value) && value['$meta'] === SCORE.$meta && Object.keys(value).length === 1
}

/** A sort, as an object or as pairs. */
export function readSort(sort: unknown): Pairs {
  const pairs = Array.isArray(sort) ? (sort as unknown[]) : isPlainObject(sort) ? Object.entries(sort) : undefined
  if (pairs === undefined) throw invalid(`sort is ${describe(sort)}, not an object`, { hint: 'e.g. `{ ts: -1 }`' })
  return pairs.map((pair) => {
    const [field, direction] = Array.isArray(pair) ? (pair as unknown[]) : []
    if (isScore(direction)) return [readPath(field), SCORE]
    if (direction !== 1 && direction !== -1) {
      throw invalid(`sort of ${quote(field)} is ${describe(direction)}, not 1 or -1`, { hint: "1 is ascending, -1 descending, `{ $meta: 'textScore' }` by the score of a text search" })
    }
    return [readPath(field), direction]
  })
}

/** A projection: fields wanted, or fields not wanted. */
export function readProjection(projection: unknown): Pairs {
  if (!isPlainObject(projection)) throw invalid(`projection is ${describe(projection)}, not an object`, { hint: 'e.g. `{ id: 1, ts: 1 }`' })
  return Object.entries(projection).map(([field, wanted]) => {
    if (isScore(wanted)) return [field, SCORE]
    if (wanted !== 1 && wanted !== 0) throw invalid(`projection of ${quote(field)} is ${describe(wanted)}, not 1 or 0`, { hint: '1 keeps a field, 0 leaves it out' })
    return [field, wanted]
  })
}
