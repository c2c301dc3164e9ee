// Bytes to JavaScript values: the way out.
//
// Not a parser of anybody's bytes: they come from the engine in the same process; still, bytes that are not a value give
// an `internal` error, never a wrong value. The format is that of `src/value/codec.rs`.
// Invariants: `__proto__` becomes a field like any other; byte arrays are copies, never views of wasm memory.

import { ByteReader, malformed } from './byte_reader.js'
import { HyphaError } from './errors.js'
import { readTable } from './table.js'
import { Tag } from './tag.js'

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

class Reader extends ByteReader {
  value(): unknown {
    const tag = this.byte()
    switch (tag) {
      case Tag.Null: return null
      case Tag.False: return false
      case Tag.True: return true
      case Tag.Number: return this.float()
      case Tag.Integer: return this.#integer()
      case Tag.BigInt: return this.view.getBigInt64(this.take(8), true)
      case Tag.String: return this.text(this.varint())
      case Tag.Date: return new Date(this.float())
      case Tag.Bytes: return this.#binary()
      case Tag.Array: return this.#array()
      case Tag.Object: return this.#object()
      case Tag.Table: return readTable(this)
      default: throw malformed(`tag ${tag} is not known`)
    }
  }

  end(): void {
    if (this.at !== this.bytes.length) throw malformed('there are bytes after it')
  }

  #array(): unknown[] {
    const count = this.varint()
    if (count > this.bytes.length - this.at) throw malformed('an array is longer than its bytes')
    const array: unknown[] = []
    for (let index = 0; index < count; index++) array.push(this.value())
    return array
  }

  #object(): Record<string, unknown> {
    const count = this.varint()
    const object: Record<string, unknown> = {}
    for (let index = 0; index < count; index++) {
      const name = this.name()
      const value = this.value()
      if (name === '__proto__') {
        Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
      } else {
        object[name] = value
      }
    }
    return object
  }

  #binary(): Uint8Array {
    const length = this.varint()
    const start = this.take(length)
    return this.bytes.slice(start, start + length)
  }

  #integer(): number {
    let byte = this.byte()
    const negative = (byte & 1) === 1
    let value = (byte & 0x7f) >> 1
    let unit = 64
    while (byte > 127) {
      byte = this.byte()
      value += (byte & 0x7f) * unit
      unit *= 128
    }
    if (value > Number.MAX_SAFE_INTEGER) throw malformed('an integer has more than 53 bits')
    return negative ? -value - 1 : value
  }
}
