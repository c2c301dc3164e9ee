// Regular expressions in filters: JavaScript's own, as the `$regex` and `$options` that the engine takes.
//
// Not for documents: what is stored is data, and a RegExp is refused there (`walker.ts`).
// Invariant: a filter without regular expressions stays the object that it was.

import { invalid, quote } from './errors.js'
import { DOCUMENT_DEPTH_MAX } from './limits.js'
import { isPlainPrototype } from './plain.js'

/** Flags that say how to read a pattern; the others are about how often and where to search. */
const KEPT = /[ims]/gu
/** `y` looks at one place only; `v` is another syntax. */
const REFUSED = /[vy]/u

const sourceIn = Object.getOwnPropertyDescriptor(RegExp.prototype, 'source')!.get!

/** A filter, a part of one, or a pipeline with filters in it, with each RegExp as an object of `$regex` and `$options`. */
export function withPatterns(value: unknown, depth = 0): unknown {
  // What is too deep is refused where it is encoded.
  if (typeof value !== 'object' || value === null || depth > DOCUMENT_DEPTH_MAX) return value
  if (Array.isArray(value)) return inElements(value, depth)
  if (isPlainPrototype(Object.getPrototypeOf(value))) return inFields(value as Record<string, unknown>, depth)
  return patternOf(value) ?? value
}

function inElements(elements: readonly unknown[], depth: number): readonly unknown[] {
  let changed: unknown[] | undefined
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index]
    if (typeof element !== 'object') continue
    const replaced = withPatterns(element, depth + 1)
    if (replaced !== element) (changed ??= elements.slice())[index] = replaced
  }
  return changed ?? elements
}

function inFields(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  const names = Object.keys(fields)
  let changed: [string, unknown][] | undefined
  for (const [index, name] of names.entries()) {
    const value = fields[name]
    let replaced = withPatterns(value, depth + 1)
    if (replaced === value) continue
    changed ??= names.map((name) => [name, fields[name]])
    if (name === '$regex') {
      const { $regex, $options } = replaced as Pattern
      if (fields['$options'] === undefined) changed.push(['$options', $options])
      replaced = $regex
    }
    changed[index] = [name, replaced]
  }
  return changed === undefined ? fields : Object.fromEntries(changed)
}

interface Pattern { $regex: string; $options: string }

/** The pattern of a RegExp of any realm; `undefined` for anything else. */
function patternOf(value: object): Pattern | undefined {
  if (Object.prototype.toString.call(value) !== '[object RegExp]') return undefined
  let source: string
  try {
    source = sourceIn.call(value) as string
  } catch {
    return undefined
  }
  const { flags } = value as RegExp
  const refused = REFUSED.exec(flags)?.[0]
  if (refused !== undefined) throw invalid(`pattern ${quote(source)} has the flag ${quote(refused)}`, { hint: 'flags that mean something in a filter are i, m and s' })
  return { $regex: source, $options: flags.match(KEPT)?.join('') ?? '' }
}
