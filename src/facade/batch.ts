// Documents in bulk to bytes: field names once, all text in one place, values in the order of the fields.
//
// Not for requests around them (`encoder.ts`). The format is that of `src/value/batch.rs`.
// Measured: gathering strings and encoding them at once costs half of writing them one by one, and to read an object's
// values at once costs half of asking for them by name.
// Invariant: a value is read once, except where a lone surrogate was met: then all are read again, to tell its path.

import { DOCUMENT_BYTES_MAX, FIELD_NAME_BYTES_MAX, OBJECT_FIELDS_MAX } from './limits.js'
import { Tag } from './tag.js'
import { Walker, isWellFormed } from './walker.js'

/** Gathered text is encoded when it is this long. */
const GATHERED_LENGTH_MAX = 64 * 1024
const TEXT_BYTES_START = 64 * 1024
/** Shapes that are remembered from batch to batch. */
const SHAPES_KEPT = 1024

const utf8 = new TextEncoder()
/** Thrown where text cannot be encoded and it is not known which. */
const DAMAGED = Symbol('damaged text')

/** Field names in order, with what a batch says of them. */
interface Shape {
  readonly names: readonly string[]
  readonly head: Uint8Array
  /** The last batch that it was part of, and its number there. */
  batch: number
  number: number
}

/** Writes batches. One at a time: see `codec.ts`. */
export class BatchEncoder extends Walker {
  readonly #known = new Map<string, Shape>()
  /** The shape that was met last at each depth: most likely the next one is the same. */
  readonly #last: Shape[] = []
  /** The shapes of this batch. */
  #shapes: Shape[] = []
  #batch = 0
  /** How many documents were objects. */
  #objects = 0
  #text = new Uint8Array(TEXT_BYTES_START)
  #textLength = 0
  #gathered = ''
  #isAscii = true
  /** Where the documents end, once sealed. */
  #end = 0
  /** Whether each string is looked at by itself. */
  #isCareful = false

  /** Makes a batch; answers its length, for `copyTo`: it is copied once, to where it goes. */
  encode(documents: readonly unknown[]): number {
    this.#isCareful = false
    try {
      return this.#encode(documents)
    } catch (thrown) {
      if (thrown !== DAMAGED) throw thrown
      this.#isCareful = true
      return this.#encode(documents)
    }
  }

  override reset(): void {
    super.reset()
    this.#shapes = []
    this.#batch++
    this.#objects = 0
    this.#textLength = 0
    this.#gathered = ''
    this.#isAscii = true
    if (this.#text.length > 64 * TEXT_BYTES_START) this.#text = new Uint8Array(TEXT_BYTES_START)
  }

  /** Begins a batch to which documents are added one by one. */
  begin(): void {
    this.reset()
    // What is wrong with a document is said when it is added.
    this.#isCareful = true
  }

  /** Adds a document to what was begun; one that is refused leaves nothing behind. */
  add(document: unknown): void {
    const [length, textLength, gathered, isAscii, objects] = [this.length, this.#textLength, this.#gathered, this.#isAscii, this.#objects]
    try {
      this.#document(document, {})
    } catch (thrown) {
      this.length = length
      this.#textLength = textLength
      this.#gathered = gathered
      this.#isAscii = isAscii
      this.#objects = objects
      throw thrown
    }
  }

  /** The bytes of what was begun, about. */
  get sizeBytes(): number {
    return this.size
  }

  #encode(documents: readonly unknown[]): number {
    this.reset()
    const count = documents.length
    for (let index = 0; index < count; index++) this.#document(documents[index], count === 1 ? {} : { index })
    return this.end()
  }

  #document(document: unknown, facts: Record<string, unknown>): void {
    const before = this.#objects
    this.root(document, 'document', facts)
    if (this.#objects !== before + 1) throw this.refused('no plain object', 'e.g. `{ id: 1 }`')
  }

  /** Ends what was begun; answers its length, for `copyTo`. Shapes, count and text stand behind the documents until then. */
  end(): number {
    this.#flush()
    const end = this.length
    this.ensure(this.#shapes.reduce((room, shape) => room + shape.head.length, 32))
    this.varint(this.#shapes.length)
    for (const { head } of this.#shapes) {
      this.bytes.set(head, this.length)
      this.length += head.length
    }
    this.varint(this.#objects)
    this.byte(this.#isAscii ? 1 : 0)
    this.varint(this.#textLength)
    this.#end = end
    return this.length + this.#textLength
  }

  /** Writes what was sealed to `out`. */
  copyTo(out: Uint8Array, at: number): void {
    const head = this.length - this.#end
    out.set(this.bytes.subarray(this.#end, this.length), at)
    out.set(this.#text.subarray(0, this.#textLength), at + head)
    out.set(this.bytes.subarray(0, this.#end), at + head + this.#textLength)
  }

  protected override get size(): number {
    return this.length + this.#textLength + this.#gathered.length
  }

  protected string(text: string): void {
    const length = text.length
    // A half character at the end would become whole with the next string.
    if ((text.charCodeAt(length - 1) & 0xfc00) === 0xd800 || (this.#isCareful && !isWellFormed(text))) {
      throw this.refused('a lone surrogate', 'the text was cut inside a character: use `toWellFormed()`')
    }
    if (length > DOCUMENT_BYTES_MAX) throw this.tooLarge()
    this.ensure(6)
    this.byte(Tag.String)
    this.varint(length)
    this.#gathered += text
    if (this.#gathered.length > GATHERED_LENGTH_MAX) this.#flush()
  }

  protected number(value: number): void {
    if (Number.isNaN(value)) throw this.refused('NaN', 'use null for a number that is not known')
    this.ensure(9)
    this.byte(Tag.Number)
    this.view.setFloat64(this.length, value, true)
    this.length += 8
  }

  protected fields(value: Record<string, unknown>): void {
    this.enter(value)
    const depth = this.depth
    let names = Object.keys(value)
    let values = Object.values(value)
    if (names.length > OBJECT_FIELDS_MAX) throw this.tooMuch(`${names.length} fields in one object`, `${OBJECT_FIELDS_MAX}`)
    if (values.includes(undefined)) {
      names = names.filter((_, place) => values[place] !== undefined)
      values = values.filter((field) => field !== undefined)
    }
    this.ensure(5)
    // What stands at the top is known to be an object.
    if (depth > 0) this.byte(Tag.Object)
    else this.#objects++
    this.view.setUint32(this.length, this.#shapeOf(names, depth), true)
    this.length += 4
    this.depth = depth + 1
    const count = values.length
    for (let place = 0; place < count; place++) {
      this.path[depth] = names[place]!
      this.value(values[place])
    }
    this.leave(depth)
  }

  /** The number of a shape in this batch. */
  #shapeOf(names: string[], depth: number): number {
    let shape = this.#last[depth]
    if (shape === undefined || !isSame(shape.names, names)) {
      // Lengths, because a name may have any character.
      const key = names.map((name) => `${name.length}:${name}`).join('')
      shape = this.#known.get(key) ?? this.#learn(key, names, depth)
      this.#last[depth] = shape
    }
    if (shape.batch !== this.#batch) {
      shape.batch = this.#batch
      shape.number = this.#shapes.push(shape) - 1
    }
    return shape.number
  }

  #learn(key: string, names: string[], depth: number): Shape {
    this.depth = depth + 1
    const head = [varint(names.length)]
    for (const name of names) {
      this.path[depth] = name
      if (!isWellFormed(name)) throw this.refused('a lone surrogate', 'the text was cut inside a character: use `toWellFormed()`')
      const bytes = utf8.encode(name)
      if (bytes.length > FIELD_NAME_BYTES_MAX) throw this.tooMuch('a field name that is too long', `${FIELD_NAME_BYTES_MAX} bytes`)
      head.push(varint(bytes.length), [...bytes])
    }
    this.depth = depth
    if (this.#known.size >= SHAPES_KEPT) this.#known.clear()
    const shape: Shape = { names, head: Uint8Array.from(head.flat()), batch: 0, number: 0 }
    this.#known.set(key, shape)
    return shape
  }

  /** Encodes what was gathered. */
  #flush(): void {
    const text = this.#gathered
    const needed = this.#textLength + text.length * 3
    if (needed > this.#text.length) {
      const grown = new Uint8Array(Math.max(needed, this.#text.length * 2))
      grown.set(this.#text.subarray(0, this.#textLength))
      this.#text = grown
    }
    const { written } = utf8.encodeInto(text, this.#text.subarray(this.#textLength))
    if (written !== text.length) {
      // Only text with something beyond ASCII can hold a lone surrogate, which encodeInto has replaced.
      if (!isWellFormed(text)) throw DAMAGED
      this.#isAscii = false
    }
    this.#textLength += written
    this.#gathered = ''
  }
}

/** LEB128 of a small whole number. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 127) | 0x80, value >> 7]
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  const count = left.length
  if (count !== right.length) return false
  for (let place = 0; place < count; place++) if (left[place] !== right[place]) return false
  return true
}
