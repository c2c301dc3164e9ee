// JavaScript values to bytes: requests, and whatever else is not documents in bulk (`batch.ts`).
//
// Not a serializer for anything: what would not come back exactly as it went in is refused with its path (`walker.ts`).
// The format is that of `src/value/codec.rs`; `decoder.ts` is the way back.
// Invariant: what `object` and `array` announce is for the caller to write.

import { DOCUMENT_BYTES_MAX, FIELD_NAME_BYTES_MAX, OBJECT_FIELDS_MAX } from './limits.js'
import { Tag } from './tag.js'
import { Walker, isWellFormed } from './walker.js'

/** Up to this length a string is tried as ASCII by hand; beyond it `encodeInto` is quicker. */
const ASCII_LENGTH_MAX = 48

const utf8 = new TextEncoder()

/** Writes values one behind the other. One user at a time: see `codec.ts`. */
export class Encoder extends Walker {
  /** A copy of what was written, with `room` bytes behind it. */
  finish(room: number): Uint8Array {
    const bytes = new Uint8Array(this.length + room)
    bytes.set(this.bytes.subarray(0, this.length))
    return bytes
  }

  /** An object's head; `count` fields must follow, each by `name` and then a value. */
  object(count: number): void {
    this.ensure(6)
    this.byte(Tag.Object)
    this.varint(count)
  }

  /** An array's head; `count` values must follow. */
  array(count: number): void {
    this.ensure(6)
    this.byte(Tag.Array)
    this.varint(count)
  }

  /** A field's name. */
  name(name: string): void {
    this.#text(name)
  }

  /** The head of bytes as a value; so many bytes must follow. */
  rawHead(length: number): void {
    this.ensure(6)
    this.byte(Tag.Bytes)
    this.varint(length)
  }

  protected string(text: string): void {
    this.ensure(1)
    this.byte(Tag.String)
    this.#text(text)
  }

  protected number(value: number): void {
    this.ensure(9)
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      this.byte(Tag.Integer)
      // Zigzag, low bits first, without ever forming 2·|n| (which would not fit into 53 bits).
      const negative = value < 0
      let rest = negative ? -value - 1 : value
      const low = ((rest % 64) << 1) | (negative ? 1 : 0)
      rest = rest < 0x40000000 ? rest >> 6 : Math.floor(rest / 64)
      this.byte(rest === 0 ? low : low | 0x80)
      if (rest !== 0) this.varint(rest)
      return
    }
    if (Number.isNaN(value)) throw this.refused('NaN', 'use null for a number that is not known')
    this.byte(Tag.Number)
    this.view.setFloat64(this.length, value, true)
    this.length += 8
  }

  protected fields(value: Record<string, unknown>): void {
    this.enter(value)
    const names = Object.keys(value)
    if (names.length > OBJECT_FIELDS_MAX) throw this.tooMuch(`${names.length} fields in one object`, `${OBJECT_FIELDS_MAX}`)
    this.ensure(6)
    this.byte(Tag.Object)
    const countAt = this.length
    this.varint(names.length)
    const depth = this.depth++
    let count = 0
    for (const name of names) {
      this.path[depth] = name
      const field = value[name]
      if (field === undefined) continue
      count++
      this.#fieldName(name)
      this.value(field)
    }
    if (count !== names.length) this.#writeCount(countAt, names.length, count)
    this.leave(depth)
  }

  /** A place for `reserved` was left at `at`; the true number turned out smaller, maybe by a byte. */
  #writeCount(at: number, reserved: number, count: number): void {
    const end = this.length
    const shift = varintBytes(reserved) - varintBytes(count)
    if (shift > 0) this.bytes.copyWithin(at + varintBytes(count), at + varintBytes(reserved), end)
    this.length = at
    this.varint(count)
    this.length = end - shift
  }

  #fieldName(name: string): void {
    const start = this.length
    this.#text(name)
    // A name near the limit has a length prefix of two bytes, a longer one of two or more.
    if (name.length > FIELD_NAME_BYTES_MAX / 3 && this.length - start - 2 > FIELD_NAME_BYTES_MAX) {
      throw this.tooMuch('a field name that is too long', `${FIELD_NAME_BYTES_MAX} bytes`)
    }
  }

  #text(text: string): void {
    const length = text.length
    if (length > DOCUMENT_BYTES_MAX) throw this.tooLarge()
    this.ensure(length * 3 + 5)
    if (length < ASCII_LENGTH_MAX && this.#ascii(text)) return
    const guess = varintBytes(length)
    const at = this.length + guess
    const { written } = utf8.encodeInto(text, this.bytes.subarray(at, at + length * 3))
    // Only text with something beyond ASCII can hold a lone surrogate, which encodeInto would have replaced.
    if (written !== length && !isWellFormed(text)) throw this.refused('a lone surrogate', 'the text was cut inside a character: use `toWellFormed()`')
    const actual = varintBytes(written)
    if (actual !== guess) this.bytes.copyWithin(this.length + actual, at, at + written)
    this.varint(written)
    this.length += written
  }

  /** Short text without anything beyond ASCII; `false`, and nothing written, when there is. */
  #ascii(text: string): boolean {
    const bytes = this.bytes
    const length = text.length
    let at = this.length
    bytes[at++] = length
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code > 127) return false
      bytes[at++] = code
    }
    this.length = at
    return true
  }
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5
}
