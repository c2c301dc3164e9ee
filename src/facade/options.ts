// Options as callers give them: which there are, and what to say to one that there is not.
//
// Not their meaning: each method has that.
// Invariant: an option that is not known is refused, never ignored; so is one of the wrong type.

import { HyphaError, invalid, quote } from './errors.js'
import { isPlainObject } from './plain.js'

/** What an option must be, in words for a message, and how to tell. */
interface Kind {
  readonly words: string
  readonly test: (value: unknown) => boolean
}

export const kind = (words: string, test: (value: unknown) => boolean): Kind => ({ words, test })

/** The kinds of options. */
export const BOOLEAN = kind('true or false', (value) => typeof value === 'boolean')
export const FUNCTION = kind('a function', (value) => typeof value === 'function')
export const NAME = kind('a string that is not empty', (value) => typeof value === 'string' && value !== '')
export const COUNT = kind('a whole number, 0 or more', (value) => Number.isSafeInteger(value) && (value as number) >= 0)
export const ANY = kind('anything', () => true)
export const PLAIN = kind('a plain object', isPlainObject)
export const oneOf = (...words: string[]): Kind => kind(words.map((word) => `'${word}'`).join(' or '), (value) => words.includes(value as string))
const SIGNAL = kind('an AbortSignal', (value) => typeof (value as AbortSignal | null)?.aborted === 'boolean')
export const TIME = kind('a number of milliseconds, 0 or more', (value) => typeof value === 'number' && value >= 0)

/** Of `thread`. */
export const WORKER = kind('a URL, or a function that makes a worker', (value) => typeof value === 'string' || typeof value === 'function' || value instanceof URL)

/** Options by name. */
export type OptionTable = Readonly<Record<string, Kind>>

/** What every asynchronous method takes. */
export const CALL: OptionTable = { signal: SIGNAL, timeoutMs: TIME }
/** What every write takes. */
export const WRITE: OptionTable = { ...CALL, durability: oneOf('relaxed', 'strict') }

/** Refuses what is not an object, options that are not in the table, and values of the wrong kind. */
export function checkOptions(options: unknown, table: OptionTable, where: string): void {
  if (options === undefined) return
  if (!isPlainObject(options)) throw invalid(`options of ${where} are ${describe(options)}, not an object`)
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(table, name)) throw unknownOption(name, Object.keys(table), where)
    const { words, test } = table[name]!
    if (value !== undefined && !test(value)) {
      throw invalid(`option ${quote(name)} of ${where} is ${describe(value)}, not ${words}`, { details: { option: name } })
    }
  }
}

function unknownOption(name: string, known: readonly string[], where: string): HyphaError {
  const nearest = nearestTo(name, known)
  const hint = nearest === undefined ? `${where} knows: ${known.join(', ') || 'no options'}` : `did you mean ${quote(nearest)}?`
  return invalid(`option ${quote(name)} of ${where} is not known`, { hint, details: { option: name, ...(nearest && { nearest }) } })
}

/** The known word that is nearest to `name`, if one is near enough to have been meant. */
export function nearestTo(name: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined
  let least = Math.max(2, Math.ceil(name.length / 3)) + 1
  for (const word of known) {
    const distance = editDistance(simplify(name), simplify(word))
    if (distance < least) [nearest, least] = [word, distance]
  }
  return nearest
}

/** `backup_interval` and `backupInterval` are the same word. */
function simplify(word: string): string {
  return word.replace(/[_-]/gu, '').toLowerCase()
}

/** Levenshtein's distance, one row at a time; https://en.wikipedia.org/wiki/Levenshtein_distance. */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const here = [row]
    for (let column = 1; column <= to.length; column++) {
      const change = above[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1)
      here.push(Math.min(change, above[column]! + 1, here[column - 1]! + 1))
    }
    above = here
  }
  return above[to.length]!
}

/** A value in words, for messages. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'undefined': return 'undefined'
    case 'string': return value === '' ? 'an empty string' : `the string ${quote(value)}`
    case 'number': case 'bigint': return `the ${typeof value} ${quote(value)}`
    case 'boolean': case 'function': case 'symbol': return `a ${typeof value}`
    default:
      if (value === null) return 'null'
      if (Array.isArray(value)) return 'an array'
      if (isPlainObject(value)) return 'an object'
      return `an instance of ${quote((value as object).constructor?.name ?? 'a class')}`
  }
}
