// Which objects are plain data, whatever window, frame or vm context they come from.
//
// Not the encoding of them: that is in `encoder.ts`.
// Invariant: an object is judged by what it is, never by what its properties say.

import { quote } from './errors.js'

const dateMs = Date.prototype.getTime
const viewName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!

/** Milliseconds of a Date of any realm; undefined for anything else. */
export function msOf(value: object): number | undefined {
  try {
    return dateMs.call(value as Date)
  } catch {
    return undefined
  }
}

/** Whether objects with this prototype are plain: none, or the `Object.prototype` of this or another realm. */
export function isPlainPrototype(prototype: object | null): boolean {
  if (prototype === Object.prototype || prototype === null) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}

/** Whether this is an object as a literal makes it. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isPlainPrototype(Object.getPrototypeOf(value))
}

/** The kind of a view of bytes, e.g. `Uint8Array`, of any realm. */
export function typedArrayName(view: ArrayBufferView): string {
  return (viewName.call(view) as string | undefined) ?? 'DataView'
}

/** What an object that is not data is called in messages. */
export function nameOf(value: object): string {
  const name = (value as { constructor?: { name?: unknown } }).constructor?.name
  return typeof name === 'string' && name !== '' ? `an instance of ${quote(name)}` : 'an object that is not plain'
}

/** What to do instead. */
export function hintFor(value: object): string {
  switch (Object.prototype.toString.call(value)) {
    case '[object Map]':
    case '[object Set]':
      return 'use a plain object or an array'
    case '[object ArrayBuffer]':
    case '[object SharedArrayBuffer]':
      return 'use `new Uint8Array(buffer)`'
    case '[object RegExp]':
      return 'store its source as a string'
    case '[object Promise]':
      return 'await it first'
    default:
      return 'use a plain object, e.g. `{ ...value }`'
  }
}
