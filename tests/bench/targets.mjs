// What the project promises about its speed in the set `documents`, and whether a run keeps a promise.
//
// Not the measuring. A target compares a measure of HyphaDB with that of another adapter, with the best peer, or with a
// number. `best` is the quickest database that keeps its data and has the same documents; `among` says of which. `most` is
// a share of the other's, or the number itself; `added` is how much may come on top of the other's; `only` is of one way to
// run HyphaDB.

const TIMES = [
  'bulk_insert_each', 'insert', 'insert_together', 'get', 'get_many', 'newest_of_agent', 'newest_of_site', 'range', 'update', 'remove', 'open_cold',
]

export const targets = [
  { measure: 'bulk_insert_each', than: 'dexie', most: 1 / 40 },
  { measure: 'bulk_insert_each', than: 'limit', most: 4 },
  { measure: 'insert', than: 'dexie', most: 0.6 },
  { measure: 'insert_together', than: 'dexie', most: 1 / 50 },
  { measure: 'get', than: 'dexie', most: 1 / 50 },
  { measure: 'get_many', than: 'dexie', most: 1 / 60 },
  { measure: 'newest_of_agent', than: 'dexie', most: 1 / 30 },
  { measure: 'newest_of_site', than: 'dexie', most: 1 / 30 },
  { measure: 'range', than: 'dexie', most: 1 / 25 },
  { measure: 'update', than: 'dexie', most: 1 / 25 },
  { measure: 'remove', than: 'dexie', most: 1 / 25 },
  { measure: 'open_cold', than: 'dexie', most: 0.5 },
  { measure: 'open_reload', than: 'idb', most: 1.5 },
  { measure: 'storage_estimate', than: 'dexie', most: 0.4 },
  { measure: 'storage_files', than: 'dexie', most: 0.4 },
  { measure: 'shipped_brotli', than: 'number', most: 250 },
  { measure: 'range', than: 'number', most: 0.5, isStretch: true },
  { measure: 'get', than: 'hyphadb', added: 0.15, only: 'hyphadb_worker' },
  ...TIMES.map(measure => ({ measure, than: 'best', most: 1 })),
]

/**
 * Each target with what was measured: `{ target, value, base, peer, share, isMet }`, where `share` is value by base, and
 * `isMet` is undefined where something was not measured. `valueOf(adapter, measure)` and `bestOf(measure, among)`, which
 * answers `{ name, value }`, tell the medians.
 */
export function judge(targets, ours, valueOf, bestOf) {
  return targets.filter(({ only = ours }) => only === ours).map(target => {
    const value = valueOf(ours, target.measure)
    const { name: peer, value: base } = baseOf(target, valueOf, bestOf)
    const share = value === undefined || !(base > 0) ? undefined : value / base
    return { target, value, base, peer, share, isMet: isMet(target, value, base, share) }
  })
}

function isMet({ than, most, added }, value, base, share) {
  if (added !== undefined) return value === undefined || base === undefined ? undefined : value - base <= added
  const mark = than === 'number' ? value : share
  return mark === undefined ? undefined : mark <= most
}

function baseOf({ than, measure, among }, valueOf, bestOf) {
  if (than === 'number') return { name: 'number', value: undefined }
  if (than === 'best') return bestOf(measure, among) ?? { name: 'best', value: undefined }
  return { name: than, value: valueOf(than, measure) }
}
