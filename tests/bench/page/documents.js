// The documents of the benchmark: readings of sensors, 209 bytes of JSON on average.
//
// Not stored anywhere: a reading is a function of seed and index, so that any part of the data can be made anew to check
// an answer, without keeping all of it in memory beside the database that is measured.
// Invariants: the same seed and index give the same reading in every browser and in node; `ts` rises with the index.

export const AGENTS = 200
export const SITES = 40

const TS_FIRST_MS = 1_700_000_000_000
const TS_STEP_MS = 1_000
const VALUE_MAX = 100
const WARN_SHARE = 0.1

const KINDS = [['temperature', 'C'], ['humidity', '%'], ['pressure', 'hPa'], ['vibration', 'mm/s'], ['current', 'A']]
const TAGS = ['indoor', 'outdoor', 'roof', 'cellar', 'spare', 'leased', 'mains', 'solar']
const NOTES = [
  'calibrated', 'battery low', 'door open', 'sunlight', 'fan running', 'after maintenance', 'new firmware',
  'probe 2', 'cable replaced', 'restarted', 'checked by hand', 'clock adjusted', 'nothing unusual',
]

/** Numbers in [0, 1) that follow from a state of 32 bits: mulberry32 (Tommy Ettinger, public domain). */
export function chance(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Spreads an integer over 32 bits, one to one: the last step of MurmurHash3. */
export function spread(integer) {
  let mixed = integer | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

const below = (random, limit) => Math.floor(random() * limit)
const one = (random, list) => list[below(random, list.length)]
const hex = random => below(random, 2 ** 32).toString(16).padStart(8, '0')
const numbered = (name, number, digits) => `${name}-${String(number).padStart(digits, '0')}`

export const agentName = number => numbered('agent', number, 3)
export const siteName = number => numbered('site', number, 2)

/** The index of the reading that has this `ts`. */
export const indexOf = ts => Math.floor((ts - TS_FIRST_MS) / TS_STEP_MS)

/** All readings of a seed; there is no last one. */
export class Readings {
  #seed

  constructor(seed) {
    this.#seed = spread(seed)
  }

  /** The reading at this index, as a new object. */
  at(index) {
    const random = chance(spread(index ^ this.#seed))
    const id = hex(random) + hex(random) + hex(random)
    const ts = TS_FIRST_MS + index * TS_STEP_MS + below(random, TS_STEP_MS)
    const agent = agentName(below(random, AGENTS))
    const site = siteName(below(random, SITES))
    const [kind, unit] = one(random, KINDS)
    const status = random() < WARN_SHARE ? 'warn' : 'ok'
    const value = Math.round(random() * VALUE_MAX * 100) / 100
    const tags = Array.from({ length: 1 + below(random, 3) }, () => one(random, TAGS))
    return { id, ts, agent, site, kind, status, value, unit, tags, note: `${one(random, NOTES)}, ${one(random, NOTES)}` }
  }

  /** The readings from one index to before another. */
  slice(from, to) {
    return Array.from({ length: to - from }, (_, offset) => this.at(from + offset))
  }
}
