// Tables to JavaScript values: answers of many documents, column by column.
//
// Not single values: those are `decoder.ts`'s. The format is that of `src/value/table.rs`.
// Invariants: values come in their order; all text of a chunk is decoded once, and strings are cut out of it; numbers may
// be a view of an answer that has a buffer of its own, never of wasm memory.

import { malformed, type ByteReader } from './byte_reader.js'
import { makeObjects } from './makers.js'
import { Kind } from './tag.js'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** More rows than this are no table of ours. */
const ROWS_MAX = 2 ** 28

/** The values of a column: a `Float64Array` where all of them are numbers. */
export type Values = Float64Array | unknown[]

/** The table that stands behind its tag. */
export function readTable(reader: ByteReader): Values {
  reader.take(reader.byte())
  const chunk = new Chunk(reader)
  const chunks = reader.varint()
  chunk.unpad()
  if (chunks === 0) return []
  if (chunks === 1) return chunk.values()
  const parts: Values[] = []
  for (let left = chunks; left > 0; left--) parts.push(chunk.values())
  if (parts.every((part) => part instanceof Float64Array)) return joined(parts)
  const all: unknown[] = []
  for (const values of parts) {
    for (let index = 0; index < values.length; index++) all.push(values[index])
  }
  return all
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

class Chunk {
  readonly #reader: ByteReader
  /** Where the body begins, from which padding is counted. */
  readonly #start: number
  #text = ''
  #at = 0

  constructor(reader: ByteReader) {
    this.#reader = reader
    this.#start = reader.at
  }

  unpad(): void {
    this.#reader.take((this.#start - this.#reader.at) & 7)
  }

  values(): Values {
    const rows = this.#count()
    const length = this.#reader.varint()
    const start = this.#reader.take(length)
    this.#text = utf8.decode(this.#reader.bytes.subarray(start, start + length))
    this.#at = 0
    return this.#column(rows)
  }

  #count(): number {
    const count = this.#reader.varint()
    if (count > ROWS_MAX) throw malformed('it has too many rows')
    return count
  }

  #column(rows: number): Values {
    const kind = this.#reader.byte()
    switch (kind) {
      case Kind.Nulls: return new Array<unknown>(rows).fill(null)
      case Kind.Bools: return this.#bools(rows)
      case Kind.Numbers: return this.#numbers(rows)
      case Kind.Dates: return Array.from(this.#numbers(rows), (ms) => new Date(ms))
      case Kind.BigInts: return this.#bigints(rows)
      case Kind.Texts: return this.#texts(rows)
      case Kind.Words: return this.#words(rows)
      case Kind.Bytes: return this.#binary(rows)
      case Kind.Lists: return this.#lists(rows)
      case Kind.Objects: return this.#objects(rows)
      case Kind.Mixed: return this.#mixed(rows)
      default: throw malformed(`kind ${kind} is not known`)
    }
  }

  #bools(rows: number): boolean[] {
    const start = this.#reader.take(rows)
    const { bytes } = this.#reader
    const values = new Array<boolean>(rows)
    for (let row = 0; row < rows; row++) values[row] = bytes[start + row] === 1
    return values
  }

  #numbers(rows: number): Float64Array {
    this.unpad()
    const { buffer, byteOffset, byteLength } = this.#reader.bytes
    const start = byteOffset + this.#reader.take(rows * 8)
    return byteLength === buffer.byteLength && start % 8 === 0 ? new Float64Array(buffer, start, rows) : new Float64Array(buffer.slice(start, start + rows * 8))
  }

  #bigints(rows: number): bigint[] {
    this.unpad()
    const { view } = this.#reader
    const start = this.#reader.take(rows * 8)
    return Array.from({ length: rows }, (_, row) => view.getBigInt64(start + row * 8, true))
  }

  /** Either a byte or four for each. */
  #lengths(rows: number): Uint8Array | Uint32Array {
    const width = this.#reader.byte()
    const { bytes } = this.#reader
    if (width === 1) {
      const start = this.#reader.take(rows)
      return bytes.subarray(start, start + rows)
    }
    if (width !== 4) throw malformed(`width ${width} is not known`)
    this.unpad()
    const start = bytes.byteOffset + this.#reader.take(rows * 4)
    return new Uint32Array(bytes.buffer.slice(start, start + rows * 4))
  }

  #texts(rows: number): string[] {
    const lengths = this.#lengths(rows)
    const text = this.#text
    const values = new Array<string>(rows)
    let at = this.#at
    for (let row = 0; row < rows; row++) {
      const end = at + lengths[row]!
      values[row] = text.slice(at, end)
      at = end
    }
    if (at > text.length) throw malformed('its text ends too early')
    this.#at = at
    return values
  }

  #words(rows: number): string[] {
    const words = this.#texts(this.#count())
    const start = this.#reader.take(rows)
    const { bytes } = this.#reader
    const values = new Array<string>(rows)
    for (let row = 0; row < rows; row++) values[row] = words[bytes[start + row]!]!
    return values
  }

  #binary(rows: number): Uint8Array[] {
    return Array.from(this.#lengths(rows), (length) => {
      const start = this.#reader.take(length)
      return this.#reader.bytes.slice(start, start + length)
    })
  }

  #lists(rows: number): unknown[][] {
    const lengths = this.#lengths(rows)
    const column = this.#column(this.#count())
    const elements = column instanceof Float64Array ? Array.from(column) : column
    const values = new Array<unknown[]>(rows)
    let at = 0
    for (let row = 0; row < rows; row++) {
      const end = at + lengths[row]!
      values[row] = elements.slice(at, end)
      at = end
    }
    if (at !== elements.length) throw malformed('an array has lost elements')
    return values
  }

  #objects(rows: number): unknown[] {
    const shapes = this.#count()
    const order = shapes > 1 ? this.#lengths(rows) : undefined
    const made: unknown[][] = []
    for (let shape = 0; shape < shapes; shape++) made.push(this.#alike())
    return order === undefined ? made[0] ?? [] : gathered(order, made)
  }

  /** Objects of one shape. */
  #alike(): unknown[] {
    const rows = this.#count()
    const fields = this.#reader.varint()
    const names: string[] = []
    const columns: Values[] = []
    for (let field = 0; field < fields; field++) {
      names.push(this.#reader.name())
      columns.push(this.#column(rows))
    }
    return makeObjects(names, columns, rows)
  }

  #mixed(rows: number): unknown[] {
    const count = this.#reader.varint()
    const start = this.#reader.take(rows)
    const parts: Values[] = []
    for (let part = 0; part < count; part++) parts.push(this.#column(this.#count()))
    return gathered(this.#reader.bytes.subarray(start, start + rows), parts)
  }
}

/** Each from the part that it is in, in turn. */
function gathered(order: Uint8Array | Uint32Array, parts: readonly Values[]): unknown[] {
  const taken = new Array<number>(parts.length).fill(0)
  const values = new Array<unknown>(order.length)
  for (let row = 0; row < order.length; row++) {
    const part = order[row]!
    values[row] = parts[part]![taken[part]!++]
  }
  return values
}
