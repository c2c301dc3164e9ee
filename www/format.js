// Values and figures as text, and text as values.
// Not the form in which anything is stored. The text form is JSON, with `{ "$date": … }`, `{ "$bigint": … }`,
// `{ "$bytes": … }` and `{ "$number": … }` for what JSON does not have; it comes back exactly.

const number = new Intl.NumberFormat('en')
export const count = value => number.format(value)
export const plural = (value, noun) => `${count(value)} ${noun}${value === 1 ? '' : 's'}`

export function duration(ms) {
  if (ms < 1) return `${Math.max(1, Math.round(ms * 1000))} µs`
  return ms < 100 ? `${ms.toFixed(1)} ms` : `${count(Math.round(ms))} ms`
}

export function bytes(size) {
  const units = ['B', 'kB', 'MB', 'GB']
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) [size, unit] = [size / 1000, unit + 1]
  return `${size < 10 && unit > 0 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`
}

/** What kind of value this is, in one word. */
export function kindOf(value) {
  if (value === null) return 'null'
  if (value === undefined) return 'absent'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Date) return 'date'
  if (value instanceof Uint8Array) return 'bytes'
  return typeof value
}

const isoDate = date => date.toISOString().replace('T', ' ').replace(/(:00)?\.000Z$/, ' UTC').replace('Z', ' UTC')

/** A value on one line. */
export function inLine(value) {
  switch (kindOf(value)) {
    case 'absent': return ''
    case 'date': return isoDate(value)
    case 'bytes': return `${plural(value.length, 'byte')}`
    case 'array': return value.length > 4 ? `[${count(value.length)} values]` : `[${value.map(inLine).join(', ')}]`
    case 'object': return `{${Object.keys(value).join(', ')}}`
    case 'bigint': return `${value}n`
    case 'number': return Object.is(value, -0) ? '-0' : String(value)
    default: return String(value)
  }
}

/** A key for a button or a title. */
export const keyText = key => (Array.isArray(key) ? key.map(inLine).join(' · ') : inLine(key))

/** A document as text that can be edited. */
export const toText = value => JSON.stringify(wrapped(value), null, 2)

/** The document that a text means. Throws a SyntaxError with the place where it is no JSON. */
export const fromText = text => unwrapped(JSON.parse(text))

function wrapped(value) {
  switch (kindOf(value)) {
    case 'date': return { $date: value.toISOString() }
    case 'bigint': return { $bigint: String(value) }
    case 'bytes': return { $bytes: btoa(Array.from(value, byte => String.fromCharCode(byte)).join('')) }
    case 'number': return Object.is(value, -0) || !Number.isFinite(value) ? { $number: Object.is(value, -0) ? '-0' : String(value) } : value
    case 'array': return value.map(wrapped)
    case 'object': return fields(Object.entries(value).map(([name, field]) => [name, wrapped(field)]))
    default: return value
  }
}

function unwrapped(value) {
  if (Array.isArray(value)) return value.map(unwrapped)
  if (value === null || typeof value !== 'object') return value
  const [name, ...more] = Object.keys(value)
  if (more.length === 0) {
    switch (name) {
      case '$date': return new Date(value.$date)
      case '$bigint': return BigInt(value.$bigint)
      case '$number': return Number(value.$number)
      case '$bytes': return Uint8Array.from(atob(value.$bytes), character => character.charCodeAt(0))
    }
  }
  return fields(Object.entries(value).map(([field, inner]) => [field, unwrapped(inner)]))
}

/** As `Object.fromEntries`, which also takes a field called `__proto__` for what it is. */
const fields = entries => Object.fromEntries(entries)

/** The paths of a document's fields, those of the objects in it as well. */
export function pathsOf(document) {
  return Object.entries(document).flatMap(([name, value]) => (kindOf(value) === 'object' ? [name, ...pathsOf(value).map(path => `${name}.${path}`)] : [name]))
}

/** What lies at a dotted path of a document: the first, where an array lies on the way. */
export function at(document, path) {
  if (Object.hasOwn(document, path)) return document[path]
  return path.split('.').reduce((value, part) => (Array.isArray(value) && !/^\d+$/.test(part) ? value[0]?.[part] : value?.[part]), document)
}
