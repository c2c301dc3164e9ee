// Bytes to JavaScript values: the way out.
//
// Not a parser of anybody's bytes: they come from the engine in the same process; still, bytes that are not a value give
// an `internal` error, never a wrong value. The format is that of `src/value/codec.rs`.
// Invariants: `__proto__` becomes a field like any other; byte arrays are copies, never views of wasm memory.

import { HyphaError } from './errors.js'
import { Tag } from './tag.js'

const ASCII_LENGTH_MAX = 24
const NAME_SLOTS = 512

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** ASCII field names seen lately, by a hash of their bytes: most documents of a collection share them. */
const names: string[] = new Array<string>(NAME_SLOTS).fill('')

/** One value from the whole of `bytes`. */
export function decode(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes)
  try {
    const value = reader.value()
    reader.end()
    return value
  } catch (cause) {
    throw cause instanceof HyphaError ? cause : new HyphaError('internal', 'an answer of the engine is not a value', { cause })
  }
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  value(): unknown {
    const tag = this.#byte()
    switch (tag) {
      case Tag.Null: return null
      case Tag.False: return false
      case Tag.True: return true
      case Tag.Number: return this.#float()
      case Tag.Integer: return this.#integer()
      case Tag.BigInt: return this.#view.getBigInt64(this.#take(8), true)
      case Tag.String: return this.#text(this.#varint())
      case Tag.Date: return new Date(this.#float())
      case Tag.Bytes: return this.#binary()
      case Tag.Array: return this.#array()
      case Tag.Object: return this.#object()
      default: throw malformed(`tag ${tag} is not known`)
    }
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw malformed('there are bytes after it')
  }

  #array(): unknown[] {
    const count = this.#varint()
    if (count > this.#bytes.length - this.#at) throw malformed('an array is longer than its bytes')
    const array: unknown[] = []
    for (let index = 0; index < count; index++) array.push(this.value())
    return array
  }

  #object(): Record<string, unknown> {
    const count = this.#varint()
    const object: Record<string, unknown> = {}
    for (let index = 0; index < count; index++) {
      const name = this.#name()
      const value = this.value()
      if (name === '__proto__') {
        Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
      } else {
        object[name] = value
      }
    }
    return object
  }

  #name(): string {
    const length = this.#varint()
    const start = this.#take(length)
    const bytes = this.#bytes
    let hash = length
    for (let index = start; index < start + length; index++) hash = (hash * 31 + bytes[index]!) | 0
    const slot = (hash >>> 0) % NAME_SLOTS
    const known = names[slot]!
    if (known.length === length && this.#standsAt(known, start)) return known
    this.#at = start
    const name = this.#text(length)
    // Only ASCII is kept: of other names the character codes are not the bytes.
    if (name.length === length) names[slot] = name
    return name
  }

  #standsAt(name: string, start: number): boolean {
    for (let index = 0; index < name.length; index++) {
      if (name.charCodeAt(index) !== this.#bytes[start + index]) return false
    }
    return true
  }

  #text(length: number): string {
    const start = this.#take(length)
    const bytes = this.#bytes
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

  #binary(): Uint8Array {
    const length = this.#varint()
    const start = this.#take(length)
    return this.#bytes.slice(start, start + length)
  }

  #float(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  #integer(): number {
    let byte = this.#byte()
    const negative = (byte & 1) === 1
    let value = (byte & 0x7f) >> 1
    let unit = 64
    while (byte > 127) {
      byte = this.#byte()
      value += (byte & 0x7f) * unit
      unit *= 128
    }
    if (value > Number.MAX_SAFE_INTEGER) throw malformed('an integer has more than 53 bits')
    return negative ? -value - 1 : value
  }

  #varint(): number {
    let byte = this.#byte()
    if (byte < 128) return byte
    let value = byte & 0x7f
    let unit = 128
    while (byte > 127) {
      byte = this.#byte()
      value += (byte & 0x7f) * unit
      unit *= 128
    }
    return value
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw malformed('it ends too early')
    return this.#bytes[this.#at++]!
  }

  /** Passes over `length` bytes; answers where they begin. */
  #take(length: number): number {
    const start = this.#at
    if (length > this.#bytes.length - start) throw malformed('it ends too early')
    this.#at = start + length
    return start
  }
}

function malformed(what: string): HyphaError {
  return new HyphaError('internal', `an answer of the engine is not a value: ${what}`)
}
