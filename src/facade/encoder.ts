// JavaScript values to bytes: the way in.
//
// Not a serializer for anything: what would not come back exactly as it went in is refused with its path. The format is
// that of `src/value/codec.rs`; `decoder.ts` is the way back.
// Invariants: a value is read once (getters run once); a refused value leaves no trace in the next one; the buffer grows
// but is never shared with what was returned.

import { HyphaError, invalid, quote } from './errors.js'
import { DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, FIELD_NAME_BYTES_MAX, OBJECT_FIELDS_MAX } from './limits.js'
import { hintFor, isPlainPrototype, msOf, nameOf, typedArrayName } from './plain.js'
import { Tag } from './tag.js'

const BUFFER_BYTES_START = 64 * 1024
/** A buffer that once had to be larger is let go after use, so that one bulk insert does not hold memory for ever. */
const BUFFER_BYTES_KEPT = 4 * 1024 * 1024
/** Up to this length a string is tried as ASCII by hand; beyond it `encodeInto` is quicker. */
const ASCII_LENGTH_MAX = 48

const utf8 = new TextEncoder()
const loneSurrogate = /\p{Surrogate}/u

/** Writes values into one growing buffer. One at a time: see `borrowEncoder`. */
export class Encoder {
  #bytes = new Uint8Array(BUFFER_BYTES_START)
  #view = new DataView(this.#bytes.buffer)
  #length = 0
  /** Where we are: field names and array indexes from the root of the present value. */
  #path: (string | number)[] = []
  #ancestors: object[] = []
  #depth = 0
  /** What the present value is called in messages, e.g. `document`. */
  #noun = 'value'
  #facts: Record<string, unknown> = {}
  #depthMax = DOCUMENT_DEPTH_MAX
  #start = 0

  /** Starts anew. */
  reset(): void {
    if (this.#bytes.length > BUFFER_BYTES_KEPT) {
      this.#bytes = new Uint8Array(BUFFER_BYTES_START)
      this.#view = new DataView(this.#bytes.buffer)
    }
    this.#length = 0
    this.#ancestors.length = 0
    this.#path.length = 0
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** An object's head; `count` fields must follow, each by `name` and then a value. */
  object(count: number): void {
    this.#ensure(6)
    this.#byte(Tag.Object)
    this.#varint(count)
  }

  /** An array's head; `count` values must follow. */
  array(count: number): void {
    this.#ensure(6)
    this.#byte(Tag.Array)
    this.#varint(count)
  }

  /** A field's name. */
  name(name: string): void {
    this.#text(name)
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
    this.#depth = 0
    this.#start = this.#length
    this.#value(value)
    if (extraDepth === 0) this.#checkSize()
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.#ensure(1)
        this.#byte(Tag.String)
        return this.#text(value)
      case 'number':
        return this.#number(value)
      case 'boolean':
        this.#ensure(1)
        return this.#byte(value ? Tag.True : Tag.False)
      case 'object':
        if (value === null) {
          this.#ensure(1)
          return this.#byte(Tag.Null)
        }
        return this.#object(value)
      case 'bigint':
        return this.#bigint(value)
      case 'undefined':
        throw this.#refused('undefined', 'leave the field out, or use null')
      case 'function':
        throw this.#refused('a function', 'store data only')
      default:
        throw this.#refused('a symbol', 'store data only')
    }
  }

  #number(value: number): void {
    this.#ensure(9)
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      this.#byte(Tag.Integer)
      // Zigzag, low bits first, without ever forming 2·|n| (which would not fit into 53 bits).
      const negative = value < 0
      let rest = negative ? -value - 1 : value
      const low = ((rest % 64) << 1) | (negative ? 1 : 0)
      rest = rest < 0x40000000 ? rest >> 6 : Math.floor(rest / 64)
      this.#byte(rest === 0 ? low : low | 0x80)
      if (rest !== 0) this.#varint(rest)
      return
    }
    if (Number.isNaN(value)) throw this.#refused('NaN', 'use null for a number that is not known')
    this.#byte(Tag.Number)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw this.#refused('a bigint outside 64 bits', 'use a string')
    this.#ensure(9)
    this.#byte(Tag.BigInt)
    this.#view.setBigInt64(this.#length, value, true)
    this.#length += 8
  }

  #object(value: object): void {
    if (Array.isArray(value)) return this.#elements(value)
    const prototype: object | null = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return this.#fields(value as Record<string, unknown>)
    if (ArrayBuffer.isView(value)) return this.#binary(value)
    const ms = msOf(value)
    if (ms !== undefined) return this.#date(ms)
    if (isPlainPrototype(prototype)) return this.#fields(value as Record<string, unknown>)
    throw this.#refused(nameOf(value), hintFor(value))
  }

  #elements(value: readonly unknown[]): void {
    this.#enter(value)
    const count = value.length
    this.array(count)
    const depth = this.#depth++
    for (let index = 0; index < count; index++) {
      this.#path[depth] = index
      this.#value(value[index])
    }
    this.#leave(depth)
  }

  #fields(value: Record<string, unknown>): void {
    this.#enter(value)
    const names = Object.keys(value)
    if (names.length > OBJECT_FIELDS_MAX) throw this.#tooMuch(`${names.length} fields in one object`, `${OBJECT_FIELDS_MAX}`)
    this.#ensure(6)
    this.#byte(Tag.Object)
    const countAt = this.#length
    this.#varint(names.length)
    const depth = this.#depth++
    let count = 0
    for (const name of names) {
      this.#path[depth] = name
      const field = value[name]
      if (field === undefined) continue
      count++
      this.#fieldName(name)
      this.#value(field)
    }
    if (count !== names.length) this.#writeCount(countAt, names.length, count)
    this.#leave(depth)
  }

  /** A place for `reserved` was left at `at`; the true number turned out smaller, maybe by a byte. */
  #writeCount(at: number, reserved: number, count: number): void {
    const end = this.#length
    const shift = varintBytes(reserved) - varintBytes(count)
    if (shift > 0) this.#bytes.copyWithin(at + varintBytes(count), at + varintBytes(reserved), end)
    this.#length = at
    this.#varint(count)
    this.#length = end - shift
  }

  #enter(value: object): void {
    const depth = this.#depth
    for (let above = 0; above < depth; above++) {
      if (this.#ancestors[above] === value) throw this.#refused('a cycle', 'store a key instead of the object itself')
    }
    if (depth >= this.#depthMax) throw this.#tooMuch(`${depth + 1} levels`, `${DOCUMENT_DEPTH_MAX} levels`)
    this.#ancestors[depth] = value
  }

  #leave(depth: number): void {
    this.#depth = depth
    this.#ancestors.length = depth
  }

  #date(ms: number): void {
    if (Number.isNaN(ms)) throw this.#refused('an invalid date', 'use null for a date that is not known')
    this.#ensure(9)
    this.#byte(Tag.Date)
    this.#view.setFloat64(this.#length, ms, true)
    this.#length += 8
  }

  #binary(value: ArrayBufferView): void {
    const name = typedArrayName(value)
    if (name !== 'Uint8Array') throw this.#refused(`a ${name}`, 'use a Uint8Array, or an array of numbers')
    const bytes = value as Uint8Array
    if (bytes.length > DOCUMENT_BYTES_MAX) throw this.#tooLarge()
    this.#ensure(bytes.length + 6)
    this.#byte(Tag.Bytes)
    this.#varint(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #fieldName(name: string): void {
    const start = this.#length
    this.#text(name)
    // A name near the limit has a length prefix of two bytes, a longer one of two or more.
    if (name.length > FIELD_NAME_BYTES_MAX / 3 && this.#length - start - 2 > FIELD_NAME_BYTES_MAX) {
      throw this.#tooMuch('a field name that is too long', `${FIELD_NAME_BYTES_MAX} bytes`)
    }
  }

  #text(text: string): void {
    const length = text.length
    if (length > DOCUMENT_BYTES_MAX) throw this.#tooLarge()
    this.#ensure(length * 3 + 5)
    if (length < ASCII_LENGTH_MAX && this.#ascii(text)) return
    const guess = varintBytes(length)
    const at = this.#length + guess
    const { written } = utf8.encodeInto(text, this.#bytes.subarray(at, at + length * 3))
    // Only text with something beyond ASCII can hold a lone surrogate, which encodeInto would have replaced.
    if (written !== length && !isWellFormed(text)) throw this.#refused('a lone surrogate', 'the text was cut inside a character: use `toWellFormed()`')
    const actual = varintBytes(written)
    if (actual !== guess) this.#bytes.copyWithin(this.#length + actual, at, at + written)
    this.#varint(written)
    this.#length += written
  }

  /** Short text without anything beyond ASCII; `false`, and nothing written, when there is. */
  #ascii(text: string): boolean {
    const bytes = this.#bytes
    const length = text.length
    let at = this.#length
    bytes[at++] = length
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code > 127) return false
      bytes[at++] = code
    }
    this.#length = at
    return true
  }

  #byte(byte: number): void {
    this.#bytes[this.#length++] = byte
  }

  /** LEB128 of a whole number below 2^53; the caller has made room. */
  #varint(value: number): void {
    const bytes = this.#bytes
    let at = this.#length
    while (value >= 0x80000000) {
      bytes[at++] = (value % 128) | 0x80
      value = Math.floor(value / 128)
    }
    while (value > 127) {
      bytes[at++] = (value & 127) | 0x80
      value >>>= 7
    }
    bytes[at++] = value
    this.#length = at
  }

  #ensure(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    this.#checkSize()
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }

  #checkSize(): void {
    // What wraps documents (a list of operations) may be larger than one: the engine looks at each of them.
    const wraps = this.#depthMax !== DOCUMENT_DEPTH_MAX
    if (!wraps && this.#length - this.#start > DOCUMENT_BYTES_MAX) throw this.#tooLarge()
  }

  #tooLarge(): HyphaError {
    return new HyphaError('limit', `${this.#noun} has more than ${DOCUMENT_BYTES_MAX} bytes`, {
      hint: 'split it, or keep large binary parts in documents of their own; nothing was written',
      details: { ...this.#facts, limit: DOCUMENT_BYTES_MAX },
    })
  }

  #where(): string {
    return this.#path.slice(0, this.#depth).reduce<string>((path, step) => {
      if (typeof step === 'number') return `${path}[${step}]`
      return path === '' ? step : `${path}.${step}`
    }, '')
  }

  #refused(what: string, hint: string): HyphaError {
    const path = this.#where()
    const message = path === '' ? `${this.#noun} is ${what}` : `${this.#noun} has ${what} at ${quote(path)}`
    return invalid(message, { hint: `${hint}; nothing was written`, details: { ...this.#facts, path } })
  }

  #tooMuch(what: string, limit: string): HyphaError {
    const path = this.#where()
    const at = path === '' ? '' : ` at ${quote(path)}`
    return new HyphaError('limit', `${this.#noun} has ${what}${at}, the limit is ${limit}`, {
      hint: 'make it flatter or smaller; nothing was written',
      details: { ...this.#facts, path },
    })
  }
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5
}

function isWellFormed(text: string): boolean {
  const native = (text as { isWellFormed?: () => boolean }).isWellFormed
  return native === undefined ? !loneSurrogate.test(text) : native.call(text)
}
