// What is asked of every database: which keys, which values, which ranges, in which order.
//
// Not the asking, and not the answers. The same seed asks the same questions of every adapter.
import { AGENTS, SITES, agentName, chance, siteName, spread } from './documents.js'

/** How much each workload asks for. */
export const SIZES = {
  batch: 1_000,
  inserts: 200,
  inserts_together: 1_000,
  gets: 1_000,
  keys: 1_000,
  limit: 50,
  newest: 30,
  range: 1_000,
  ranges: 30,
  changes: 1_000,
  /** How often one of the larger questions is asked, with other keys each time: the first is told by itself, for in it a
      page's code is not compiled yet. */
  repeats: 10,
  bulk_gets: 30,
  reloads: 3,
}

/** Of the documents at most this share is updated or removed. */
const SHARE_CHANGED = 0.8

/** Sources of chance, so that leaving a workload out does not change what the others ask. */
const STREAMS = ['first', 'get', 'bulk_get', 'agent', 'site', 'range', 'change']

export class Questions {
  #count
  #random

  /** Questions about the first `count` readings. */
  constructor(seed, count) {
    this.#count = count
    this.#random = Object.fromEntries(STREAMS.map((name, number) => [name, chance(spread(seed * STREAMS.length + number))]))
  }

  #index(stream) {
    return Math.floor(this.#random[stream]() * this.#count)
  }

  /** So many indexes, each another one. */
  #distinct(stream, count) {
    const found = new Set()
    while (found.size < count) found.add(this.#index(stream))
    return [...found]
  }

  /** The agents that the first queries after opening ask for. */
  firstAgent() {
    return agentName(Math.floor(this.#random.first() * AGENTS))
  }

  firstIndex() {
    return this.#index('first')
  }

  gets() {
    return this.#distinct('get', SIZES.gets)
  }

  /** Each time other keys. */
  keys() {
    return this.#distinct('bulk_get', SIZES.keys)
  }

  /** Different ones, so that no answer can come from a cache of answers. */
  agents() {
    return shuffled(this.#random.agent, Array.from({ length: AGENTS }, (_, number) => agentName(number))).slice(0, SIZES.newest)
  }

  sites() {
    return shuffled(this.#random.site, Array.from({ length: SITES }, (_, number) => siteName(number))).slice(0, SIZES.newest)
  }

  /** Where ranges begin, that hold `SIZES.range` documents each. */
  ranges() {
    return Array.from({ length: SIZES.ranges }, () => Math.floor(this.#random.range() * (this.#count - SIZES.range)))
  }

  /** Batches of indexes to be changed: first those to update, then those to remove. No index is in two of them. */
  changes() {
    // A small database has not documents enough for all of them.
    const repeats = Math.min(SIZES.repeats, Math.floor((SHARE_CHANGED * this.#count) / (2 * SIZES.changes)))
    const indexes = this.#distinct('change', 2 * repeats * SIZES.changes)
    const batch = number => indexes.slice(number * SIZES.changes, (number + 1) * SIZES.changes)
    return {
      updates: Array.from({ length: repeats }, (_, number) => batch(number)),
      removals: Array.from({ length: repeats }, (_, number) => batch(repeats + number)),
    }
  }
}

/** Fisher and Yates. */
function shuffled(random, list) {
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[list[last], list[other]] = [list[other], list[last]]
  }
  return list
}
