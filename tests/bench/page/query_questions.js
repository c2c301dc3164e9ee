// What the set `query` asks of every database, and how often.
//
// Not the asking, and not the answers. The same seed asks the same questions of every adapter.
import { chance, spread } from './documents.js'

/** The questions that scan all documents, by the workload that they are of. */
export const SCANS = { filter: 'Q1', sites: 'Q2', hours: 'Q3', columns: 'Q4' }

/** How often the page is loaded again: twice for each of the scans. */
export const VISITS = 2 * Object.keys(SCANS).length

/** A question is asked again until it was asked `most` times, or `least` times and for so long; the first is not counted. */
export const AGAIN = { least: 2, most: 30, enough_ms: 2_000 }

/** The fields that are asked for as columns. */
export const COLUMNS = ['ts', 'value', 'volts']

/** How wide the filter's bounds are, of values from 0 to 100: one document in twenty. */
const WIDTH = 5

/** Where the filter's bounds lie, other ones each time: `[from, to]`, where `to` is not included. */
export class Bounds {
  #random

  constructor(seed) {
    this.#random = chance(spread(seed ^ 0x51f7))
  }

  next() {
    const from = Math.floor(this.#random() * (100 - WIDTH))
    return [from, from + WIDTH]
  }
}

export const LIVE = {
  /** How many live queries there are: nobody listens where there is none. */
  counts: [0, 1, 100],
  /** How many there are on a page of their own. */
  crowds: [10_000],
  documents: 2_000,
  agents: 200,
  /** The newest of one agent are followed. */
  limit: 20,
  /** Inserts in a row, before the next database has its turn. */
  block: 10,
  most: 200,
  enough_ms: 6_000,
}

/** The agent that live query number `number` follows; those that are inserted are of the first. */
export const followed = number => `agent-${String(number).padStart(5, '0')}`

export const SCHEMA_BATCHES = { least: 20, most: 100, enough_ms: 4_000 }

export const TEXT = { titles: 20_000, batch: 1_000, limit: 20, questions: 30, prefix_letters: 3 }
