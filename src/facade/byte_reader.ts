// Bytes of the engine, read front to back: numbers, names, text.
//
// Not values: those are `decoder.ts`'s and `table.ts`'s business.
// Invariants: nothing is read beyond the end; a name that comes again is the same string, made once.

import { HyphaError } from './errors.js'

const ASCII_LENGTH_MAX = 24
const NAME_SLOTS = 512

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** ASCII field names seen lately, by a hash of their bytes: most documents of a collection share them. */
const names: string[] = new Array<string>(NAME_SLOTS).fill('')

export class ByteReader {
  readonly bytes: Uint8Array
  readonly view: DataView
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw malformed('it ends too early')
    return this.bytes[this.at++]!
  }

  varint(): number {
    let byte = this.byte()
    if (byte < 128) return byte
    let value = byte & 0x7f
    let unit = 128
    while (byte > 127) {
      byte = this.byte()
      value += (byte & 0x7f) * unit
      unit *= 128
    }
    return value
  }

  /** Passes over `length` bytes; answers where they begin. */
  take(length: number): number {
    const start = this.at
    if (length > this.bytes.length - start) throw malformed('it ends too early')
    this.at = start + length
    return start
  }

  float(): number {
    return this.view.getFloat64(this.take(8), true)
  }

  /** The name of a field. */
  name(): string {
    const length = this.varint()
    const start = this.take(length)
    const bytes = this.bytes
    let hash = length
    for (let index = start; index < start + length; index++) hash = (hash * 31 + bytes[index]!) | 0
    const slot = (hash >>> 0) % NAME_SLOTS
    const known = names[slot]!
    if (known.length === length && this.#standsAt(known, start)) return known
    this.at = start
    const name = asKey(this.text(length))
    // Only ASCII is kept: of other names the character codes are not the bytes.
    if (name.length === length) names[slot] = name
    return name
  }

  #standsAt(name: string, start: number): boolean {
    for (let index = 0; index < name.length; index++) {
      if (name.charCodeAt(index) !== this.bytes[start + index]) return false
    }
    return true
  }

  text(length: number): string {
    const start = this.take(length)
    const bytes = this.bytes
    if (length <= ASCII_LENGTH_MAX) {
      let text = ''
      for (let index = start; index < start + length; index++) {
        const byte = bytes[index]!
        if (byte > 127) return utf8.decode(bytes.subarray(start, start + length))
        text += String.fromCharCode(byte)
      }
      return text
    }
    return utf8.decode(bytes.subarray(start, start + length))
  }
}

/** The same text as JavaScript engines keep the names of fields: storing under it takes no look into their table. */
function asKey(name: string): string {
  return Object.keys({ [name]: 0 })[0]!
}

/** The error for bytes that are no value. */
export function malformed(what: string): HyphaError {
  return new HyphaError('internal', `an answer of the engine is not a value: ${what}`)
}
