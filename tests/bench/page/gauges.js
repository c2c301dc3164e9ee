// The documents of the set `query`: readings with one more number, and what is true of all of them together.
//
// Invariants: a reading is a function of seed and index; answers are compared with what was computed here alone, in
// whatever order they come.
import { Readings, indexOf, spread } from './documents.js'
import { difference } from './model.js'
import { Wrong } from './run.js'

const HOUR_MS = 3_600_000
/** Sums of as many numbers differ by their order. */
const CLOSE = 1e-9

export class Gauges extends Readings {
  /** The reading at this index, with the voltage of its battery. */
  at(index) {
    return { ...super.at(index), volts: 3 + ((spread(index) >>> 0) % 1_000) / 1_000 }
  }
}

const isClose = (found, wanted) => Math.abs(found - wanted) <= CLOSE * Math.max(1, Math.abs(wanted))

/** What is true of the first `count` documents. */
export class Facts {
  #gauges
  #sites
  #columns

  constructor(seed, count) {
    this.#gauges = new Gauges(seed)
    this.count = count
    this.#sites = new Array(count)
    this.#columns = Object.fromEntries(['ts', 'value', 'volts'].map(field => [field, new Float64Array(count)]))
    for (let index = 0; index < count; index++) {
      const document = this.#gauges.at(index)
      this.#sites[index] = document.site
      for (const field in this.#columns) this.#columns[field][index] = document[field]
    }
  }

  /** That these are the documents with `from <= value < to`, each once. */
  checkFilter(found, from, to) {
    const wanted = this.#columns.value.reduce((sum, value) => sum + (value >= from && value < to ? 1 : 0), 0)
    if (found.length !== wanted) throw new Wrong(`filter: ${found.length} documents, not ${wanted}`)
    const seen = new Set()
    for (const document of found) {
      const index = this.#seen(seen, document.ts)
      const { value } = document
      if (!(value >= from && value < to)) throw new Wrong(`filter: ${value} is not from ${from} to ${to}`)
      const different = difference(document, this.#gauges.at(index))
      if (different !== undefined) throw new Wrong(`filter: ${different}`)
    }
  }

  /** That these are the groups by site, or by hour: `{ _id, n, mean, most }`. */
  checkGroups(found, by) {
    const wanted = this.#groups(by === 'sites' ? index => this.#sites[index] : index => Math.floor(this.#columns.ts[index] / HOUR_MS) * HOUR_MS)
    if (found.length !== wanted.size) throw new Wrong(`${by}: ${found.length} groups, not ${wanted.size}`)
    for (const { _id, n, mean, most } of found) {
      const key = by === 'sites' ? _id : Number(_id)
      const group = wanted.get(key)
      wanted.delete(key)
      const isRight = group && Number(n) === group.n && isClose(mean, group.sum / group.n) && most === group.most
      if (!isRight) throw new Wrong(`${by}: ${JSON.stringify({ key, n: Number(n), mean, most })}, not ${JSON.stringify(group)}`)
    }
  }

  /** That these are the columns of all documents: place by place the values of one document. */
  checkColumns(found) {
    const seen = new Set()
    const { ts } = found
    for (const field in this.#columns) if (found[field].length !== this.count) throw new Wrong(`columns: ${found[field].length} of ${field}, not ${this.count}`)
    for (let place = 0; place < this.count; place++) {
      const index = this.#seen(seen, ts[place])
      for (const field in this.#columns) {
        if (found[field][place] !== this.#columns[field][index]) throw new Wrong(`columns: ${field} is ${found[field][place]}, not ${this.#columns[field][index]}`)
      }
    }
  }

  /** The index of the document with this time, which was not seen before. */
  #seen(seen, ts) {
    const index = indexOf(ts)
    if (this.#columns.ts[index] !== ts || seen.has(index)) throw new Wrong(`a document of ${ts} that is not there, or twice`)
    seen.add(index)
    return index
  }

  #groups(keyOf) {
    const groups = new Map()
    for (let index = 0; index < this.count; index++) {
      const value = this.#columns.value[index]
      const group = groups.get(keyOf(index))
      if (!group) groups.set(keyOf(index), { n: 1, sum: value, most: value })
      else {
        group.n++
        group.sum += value
        group.most = Math.max(group.most, value)
      }
    }
    return groups
  }
}
