// Groups made in JavaScript, for the databases that make none. Not an adapter.

const HOUR_MS = 3_600_000

export const siteOf = ({ site }) => site
export const hourOf = ({ ts }) => Math.floor(ts / HOUR_MS) * HOUR_MS

/** Groups by what `keyOf` says of a document: how many, the mean of `value`, the most of it. */
export class Groups {
  #groups = new Map()
  #keyOf

  constructor(keyOf) {
    this.#keyOf = keyOf
  }

  add(document) {
    const { value } = document
    const key = this.#keyOf(document)
    const group = this.#groups.get(key)
    if (!group) {
      this.#groups.set(key, { n: 1, sum: value, most: value })
      return
    }
    group.n++
    group.sum += value
    if (value > group.most) group.most = value
  }

  list() {
    return Array.from(this.#groups, ([_id, { n, sum, most }]) => ({ _id, n, mean: sum / n, most }))
  }
}

/** The groups of these documents. */
export function groupsOf(documents, keyOf) {
  const groups = new Groups(keyOf)
  for (const document of documents) groups.add(document)
  return groups.list()
}

/** The fields of these documents as columns of numbers. */
export function columnsOf(documents, fields) {
  return Object.fromEntries(fields.map(field => [field, Float64Array.from(documents, document => document[field])]))
}
