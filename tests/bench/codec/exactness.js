// What each way makes of values that not every way can carry.
//
// Not timed. An answer is `exact`, `refused`, or what the value has become without a word.
import { thereAndBack } from './ways.js'

const LONE = '\ud800'
/** A field of this name, and no prototype. */
const withProto = () => JSON.parse('{ "__proto__": 5 }')

export const values = {
  null: null,
  Date: new Date(1_700_000_000_000),
  'bigint of 64 bits': 2n ** 62n,
  'Uint8Array': Uint8Array.of(0, 127, 255),
  '-0': -0,
  Infinity,
  NaN,
  'field that is undefined': undefined,
  'element that is undefined': [1, undefined],
  'text beyond ASCII': 'a\u0000\u00e9\u{1f600}',
  'lone surrogate': `a${LONE}b`,
  'field __proto__': withProto(),
  'nested, empty': { a: [], b: {}, c: [[{}]] },
}

/** Ways may take another turn for many documents. */
const COUNTS = [1, 8]

const isObject = value => typeof value === 'object' && value !== null

function isSame(found, wanted) {
  if (!isObject(found) || !isObject(wanted)) return Object.is(found, wanted)
  if (Object.getPrototypeOf(found) !== Object.getPrototypeOf(wanted)) return false
  if (wanted instanceof Date) return found.getTime() === wanted.getTime()
  const names = Object.keys(wanted)
  return Object.keys(found).join() === names.join() && names.every(name => isSame(found[name], wanted[name]))
}

function shown(value) {
  if (Object.is(value, -0)) return '-0'
  if (value === undefined) return 'undefined'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string') return value.isWellFormed() ? `\`${value}\`` : 'a lone surrogate'
  if (value instanceof Map) return 'a Map'
  if (value instanceof Uint8Array) return 'a Uint8Array'
  if (value instanceof Date) return 'a Date'
  return isObject(value) ? `\`${JSON.stringify(value)}\`` : String(value)
}

function outcome(way, value, count) {
  const docs = Array.from({ length: count }, (_, number) => ({ id: `d${number}`, value }))
  let found
  try {
    found = thereAndBack(way, docs)
  } catch {
    return 'refused'
  }
  const [document] = found
  if (!isObject(document) || document instanceof Map) return `document becomes ${shown(document)}`
  if (!Object.hasOwn(document, 'value')) return 'left out'
  const same = found.every(document => isSame(document.value, value))
  return same ? 'exact' : `becomes ${shown(document.value)}`
}

/** By value and way, what comes back. */
export function exactness(ways) {
  const general = Object.entries(ways).filter(([, way]) => !way.onlyReadings)
  return Object.entries(values).map(([label, value]) => {
    const outcomes = general.map(([name, way]) => {
      const all = new Set(COUNTS.map(count => outcome(way, value, count)))
      return [name, [...all].join('; ')]
    })
    return { label, outcomes: Object.fromEntries(outcomes) }
  })
}
