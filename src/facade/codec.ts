// Requests to bytes, answers from bytes: all that crosses the boundary passes here.
//
// Not the form of single values: that is in `encoder.ts` and `decoder.ts`; nor of documents in bulk: `batch.ts`.
// Invariants: a document's depth and size are counted from the document, not from the request around it; a request that
// is refused was not sent.

import { BatchEncoder } from './batch.js'
import { decode } from './decoder.js'
import { Encoder } from './encoder.js'
import { HyphaError, invalid } from './errors.js'
import type { Walker } from './walker.js'

export { decode } from './decoder.js'

/** What is asked of the engine: the fields of one encoded object. Fields that are `undefined` are left out. */
export type Request = Readonly<Record<string, unknown>>

/** Fields that hold a list of values, each of which is judged on its own, and what one of them is called. */
const LISTS: Readonly<Record<string, string>> = { keys: 'key', operations: 'operation', documents: 'document' }
/** What the value of another field is called in messages. */
const NOUNS: Readonly<Record<string, string>> = { doc: 'document', filter: 'filter', update: 'update', fields: 'field' }
/** `{ updateOne: { filter, update } }` stands around a document. */
const OPERATION_DEPTH = 2

/** Encoders not in use. A getter of a document may call the database: then a second one is needed. */
const idle: Encoder[] = []
const idleForBatches: BatchEncoder[] = []

/** One request, encoded. Throws `invalid` or `limit` with the path of what cannot be stored. */
export function encodeRequest(request: Request): Uint8Array {
  const { docs } = request
  if (!Array.isArray(docs)) return encodeFields(request, undefined, 0)
  return withEncoder(idleForBatches, () => new BatchEncoder(), (batch) => encodeFields(request, batch, batch.encode(docs)))
}

/** One request with a batch that was gathered and ended, of this length, as its documents. */
export function encodeGathered(request: Request, batch: BatchEncoder, length: number): Uint8Array {
  return encodeFields(request, batch, length)
}

/** The fields of a request; a batch stands behind the others. */
function encodeFields(request: Request, batch: BatchEncoder | undefined, length: number): Uint8Array {
  return withEncoder(idle, () => new Encoder(), (encoder) => {
    const fields = Object.entries(request).filter(([name, value]) => value !== undefined && (batch === undefined || name !== 'docs'))
    encoder.object(fields.length + (batch === undefined ? 0 : 1))
    for (const [name, value] of fields) {
      encoder.name(name)
      const noun = LISTS[name]
      if (noun !== undefined && Array.isArray(value)) encodeList(encoder, noun, value)
      else encoder.root(value, NOUNS[name] ?? name)
    }
    if (batch === undefined) return encoder.finish(0)
    encoder.name('docs')
    encoder.rawHead(length)
    const bytes = encoder.finish(length)
    batch.copyTo(bytes, bytes.length - length)
    return bytes
  })
}

/** One value, encoded. Throws as `encodeRequest` does. */
export function encode(value: unknown, noun = 'value'): Uint8Array {
  return withEncoder(idle, () => new Encoder(), (encoder) => {
    encoder.root(value, noun)
    return encoder.finish(0)
  })
}

/** Whether `value` goes through the codec and comes back, and if so, as what. For tests and for looking at data. */
export function roundTrip(value: unknown): unknown {
  return decode(encode(value))
}

function encodeList(encoder: Encoder, noun: string, values: readonly unknown[]): void {
  encoder.array(values.length)
  const extraDepth = noun === 'operation' ? OPERATION_DEPTH : 0
  for (let index = 0; index < values.length; index++) {
    encoder.root(values[index], noun, values.length === 1 ? {} : { index }, extraDepth)
  }
}

function withEncoder<E extends Walker>(pool: E[], make: () => E, write: (encoder: E) => Uint8Array): Uint8Array {
  const encoder = pool.pop() ?? make()
  encoder.reset()
  try {
    return guarded(() => write(encoder))
  } finally {
    encoder.reset()
    pool.push(encoder)
  }
}

/** What `read` answers; whatever a getter or a proxy throws becomes a HyphaError. */
export function guarded<R>(read: () => R): R {
  try {
    return read()
  } catch (thrown) {
    if (thrown instanceof HyphaError) throw thrown
    throw invalid('a value could not be read', { hint: 'a getter or a proxy of it threw; see `cause`', cause: thrown })
  }
}
