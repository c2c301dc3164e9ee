// A walk through one JavaScript value, by someone who writes it down.
//
// Not a form: what is written for strings, numbers and objects say `encoder.ts` (requests) and `batch.ts` (documents in
// bulk). Here is what they have in common: the buffer, and the judgement of what can be stored, with its path.
// Invariants: a value is read once (getters run once); a refused value leaves no trace in the next one; the buffer grows
// but is never shared with what was returned.

import { HyphaError, invalid, quote } from './errors.js'
import { DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX } from './limits.js'
import { hintFor, isPlainPrototype, msOf, nameOf, typedArrayName } from './plain.js'
import { Tag } from './tag.js'

const BUFFER_BYTES_START = 64 * 1024
/** A buffer that once had to be larger is let go after use, so that one bulk insert does not hold memory for ever. */
const BUFFER_BYTES_KEPT = 4 * 1024 * 1024

const loneSurrogate = /\p{Surrogate}/u

/** Writes values into one growing buffer. */
export abstract class Walker {
  protected bytes = new Uint8Array(BUFFER_BYTES_START)
  protected view = new DataView(this.bytes.buffer)
  protected length = 0
  /** Where we are: field names and array indexes from the root of the present value. */
  protected path: (string | number)[] = []
  protected depth = 0
  #ancestors: object[] = []
  /** What the present value is called in messages, e.g. `document`. */
  #noun = 'value'
  #facts: Record<string, unknown> = {}
  #depthMax = DOCUMENT_DEPTH_MAX
  #start = 0

  protected abstract string(text: string): void
  protected abstract number(value: number): void
  /** The fields of a plain object. */
  protected abstract fields(value: Record<string, unknown>): void

  /** Starts anew. */
  reset(): void {
    if (this.bytes.length > BUFFER_BYTES_KEPT) {
      this.bytes = new Uint8Array(BUFFER_BYTES_START)
      this.view = new DataView(this.bytes.buffer)
    }
    this.length = 0
    this.#ancestors.length = 0
    this.path.length = 0
  }

  /**
   * One whole value, with its own depth and size.
   *
   * `noun` and `facts` tell in an error what and which it was; `extraDepth` is for a value that wraps documents.
   */
  root(value: unknown, noun = 'value', facts: Record<string, unknown> = {}, extraDepth = 0): void {
    this.#noun = noun
    this.#facts = facts
    this.#depthMax = DOCUMENT_DEPTH_MAX + extraDepth
    this.depth = 0
    this.#start = this.size
    this.value(value)
    if (extraDepth === 0) this.#checkSize()
  }

  /** Bytes that were written, or about so many. */
  protected get size(): number {
    return this.length
  }

  protected value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.string(value)
      case 'number':
        return this.number(value)
      case 'boolean':
        this.ensure(1)
        return this.byte(value ? Tag.True : Tag.False)
      case 'object':
        if (value === null) {
          this.ensure(1)
          return this.byte(Tag.Null)
        }
        return this.#object(value)
      case 'bigint':
        return this.#bigint(value)
      case 'undefined':
        throw this.refused('undefined', 'leave the field out, or use null')
      case 'function':
        throw this.refused('a function', 'store data only')
      default:
        throw this.refused('a symbol', 'store data only')
    }
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw this.refused('a bigint outside 64 bits', 'use a string')
    this.ensure(9)
    this.byte(Tag.BigInt)
    this.view.setBigInt64(this.length, value, true)
    this.length += 8
  }

  #object(value: object): void {
    if (Array.isArray(value)) return this.#elements(value)
    const prototype: object | null = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return this.fields(value as Record<string, unknown>)
    if (ArrayBuffer.isView(value)) return this.#binary(value)
    const ms = msOf(value)
    if (ms !== undefined) return this.#date(ms)
    if (isPlainPrototype(prototype)) return this.fields(value as Record<string, unknown>)
    throw this.refused(nameOf(value), hintFor(value))
  }

  #elements(value: readonly unknown[]): void {
    this.enter(value)
    const count = value.length
    this.ensure(6)
    this.byte(Tag.Array)
    this.varint(count)
    const depth = this.depth++
    for (let index = 0; index < count; index++) {
      this.path[depth] = index
      this.value(value[index])
    }
    this.leave(depth)
  }

  protected enter(value: object): void {
    const depth = this.depth
    for (let above = 0; above < depth; above++) {
      if (this.#ancestors[above] === value) throw this.refused('a cycle', 'store a key instead of the object itself')
    }
    if (depth >= this.#depthMax) throw this.tooMuch(`${depth + 1} levels`, `${DOCUMENT_DEPTH_MAX} levels`)
    this.#ancestors[depth] = value
  }

  protected leave(depth: number): void {
    this.depth = depth
    this.#ancestors.length = depth
  }

  #date(ms: number): void {
    if (Number.isNaN(ms)) throw this.refused('an invalid date', 'use null for a date that is not known')
    this.ensure(9)
    this.byte(Tag.Date)
    this.view.setFloat64(this.length, ms, true)
    this.length += 8
  }

  #binary(value: ArrayBufferView): void {
    const name = typedArrayName(value)
    if (name !== 'Uint8Array') throw this.refused(`a ${name}`, 'use a Uint8Array, or an array of numbers')
    const bytes = value as Uint8Array
    if (bytes.length > DOCUMENT_BYTES_MAX) throw this.tooLarge()
    this.ensure(bytes.length + 6)
    this.byte(Tag.Bytes)
    this.varint(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  protected byte(byte: number): void {
    this.bytes[this.length++] = byte
  }

  /** LEB128 of a whole number below 2^53; the caller has made room. */
  protected varint(value: number): void {
    const bytes = this.bytes
    let at = this.length
    while (value >= 0x80000000) {
      bytes[at++] = (value % 128) | 0x80
      value = Math.floor(value / 128)
    }
    while (value > 127) {
      bytes[at++] = (value & 127) | 0x80
      value >>>= 7
    }
    bytes[at++] = value
    this.length = at
  }

  protected ensure(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    this.#checkSize()
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }

  #checkSize(): void {
    // What wraps documents (a list of operations) may be larger than one: the engine looks at each of them.
    const wraps = this.#depthMax !== DOCUMENT_DEPTH_MAX
    if (!wraps && this.size - this.#start > DOCUMENT_BYTES_MAX) throw this.tooLarge()
  }

  protected tooLarge(): HyphaError {
    return new HyphaError('limit', `${this.#noun} has more than ${DOCUMENT_BYTES_MAX} bytes`, {
      hint: 'split it, or keep large binary parts in documents of their own; nothing was written',
      details: { ...this.#facts, limit: DOCUMENT_BYTES_MAX },
    })
  }

  #where(): string {
    return this.path.slice(0, this.depth).reduce<string>((path, step) => {
      if (typeof step === 'number') return `${path}[${step}]`
      return path === '' ? step : `${path}.${step}`
    }, '')
  }

  protected refused(what: string, hint: string): HyphaError {
    const path = this.#where()
    const message = path === '' ? `${this.#noun} is ${what}` : `${this.#noun} has ${what} at ${quote(path)}`
    return invalid(message, { hint: `${hint}; nothing was written`, details: { ...this.#facts, path } })
  }

  protected tooMuch(what: string, limit: string): HyphaError {
    const path = this.#where()
    const at = path === '' ? '' : ` at ${quote(path)}`
    return new HyphaError('limit', `${this.#noun} has ${what}${at}, the limit is ${limit}`, {
      hint: 'make it flatter or smaller; nothing was written',
      details: { ...this.#facts, path },
    })
  }
}

/** Whether text is whole characters: nothing else comes back from UTF-8. */
export function isWellFormed(text: string): boolean {
  const native = (text as { isWellFormed?: () => boolean }).isWellFormed
  return native === undefined ? !loneSurrogate.test(text) : native.call(text)
}
