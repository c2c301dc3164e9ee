// What a database that makes no mistake would hold and answer.
//
// Not a database: it keeps changes only, and makes the rest anew from the generator. It is asked outside of timed parts.
// Invariant: index is identity; a document keeps the index that it was inserted at.

export class Model {
  #readings
  #patches = new Map()
  #removed = new Set()

  /** The first `total` readings, inserted. */
  constructor(readings, total) {
    this.#readings = readings
    this.total = total
  }

  get count() {
    return this.total - this.#removed.size
  }

  /** The document at an index; `undefined` where it was removed, or never was. */
  at(index) {
    if (index >= this.total || this.#removed.has(index)) return undefined
    return { ...this.#readings.at(index), ...this.#patches.get(index) }
  }

  /** The documents that lie at these indexes. */
  all(indexes) {
    return indexes.map(index => this.at(index))
  }

  /** Documents with this value of a field, newest first. */
  newest(field, value, limit) {
    const found = []
    for (let index = this.total - 1; index >= 0 && found.length < limit; index--) {
      const document = this.at(index)
      if (document?.[field] === value) found.push(document)
    }
    return found
  }

  /** The documents from an index to before another, oldest first. */
  range(from, to) {
    return Array.from({ length: to - from }, (_, offset) => this.at(from + offset)).filter(document => document !== undefined)
  }

  /** That so many readings more were inserted. */
  insert(count) {
    this.total += count
  }

  /** That fields of the document at an index were set. */
  patch(index, fields) {
    this.#patches.set(index, { ...this.#patches.get(index), ...fields })
  }

  remove(index) {
    this.#removed.add(index)
  }
}

/** What differs between two values of JSON, as a path; `undefined` where they are the same. The order of fields is free. */
export function difference(found, wanted, path = '') {
  if (Object.is(found, wanted)) return undefined
  const isComposite = value => typeof value === 'object' && value !== null
  if (!isComposite(found) || !isComposite(wanted) || Array.isArray(found) !== Array.isArray(wanted)) {
    return `${path || 'the answer'} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`
  }
  for (const key of new Set([...Object.keys(found), ...Object.keys(wanted)])) {
    const inner = difference(found[key], wanted[key], path ? `${path}.${key}` : key)
    if (inner !== undefined) return inner
  }
  return undefined
}
