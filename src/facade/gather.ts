// Single inserts that were started together, as one request.
//
// Not a delay: what is gathered goes out at the end of the turn (a microtask), or as soon as another write is to go, so
// that writes keep their order. A thousand calls of a turn cost about what `insertMany` of a thousand does.
// Invariants: a document is read when it is given, and refused by itself; each insert has an outcome of its own, except
// where the commit itself fails; an insert that is alone goes out as if nothing had been gathered.

import { BatchEncoder } from './batch.js'
import { encodeGathered, guarded } from './codec.js'
import { fromEngine } from './engine_error.js'
import type { Durability, InsertManyResult, InsertOneResult } from './types.js'

/** Far below what one transaction may write, index entries included. */
const GATHERED_BYTES_MAX = 512 * 1024
const GATHERED_MAX = 1_000

interface Waiting {
  readonly resolve: (result: InsertOneResult) => void
  readonly reject: (reason: unknown) => void
}

export class Gather {
  readonly #send: (bytes: Uint8Array) => Promise<unknown>
  readonly #encoder = new BatchEncoder()
  #collection = ''
  #durability: Durability | undefined
  #waiting: Waiting[] = []
  #isReading = false

  /** `send` sends an encoded request that writes. */
  constructor(send: (bytes: Uint8Array) => Promise<unknown>) {
    this.#send = send
  }

  /** Inserts one document; `undefined` where it must go by itself. */
  insert(collection: string, document: object, durability: Durability | undefined): Promise<InsertOneResult> | undefined {
    // A getter of a document may insert another.
    if (this.#isReading) return undefined
    const isFull = this.#waiting.length >= GATHERED_MAX || this.#encoder.sizeBytes > GATHERED_BYTES_MAX
    if (isFull || collection !== this.#collection || durability !== this.#durability) this.flush()
    this.#isReading = true
    try {
      if (this.#waiting.length === 0) this.#encoder.begin()
      guarded(() => this.#encoder.add(document))
    } finally {
      this.#isReading = false
    }
    this.#collection = collection
    this.#durability = durability
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ resolve, reject }) === 1) queueMicrotask(() => this.flush())
    })
  }

  /** Sends what was gathered. */
  flush(): void {
    const waiting = this.#waiting
    if (waiting.length === 0 || this.#isReading) return
    this.#waiting = []
    const request = { op: waiting.length === 1 ? 'insert' : 'insert_each', collection: this.#collection, durability: this.#durability }
    const bytes = encodeGathered(request, this.#encoder, this.#encoder.end())
    this.#encoder.reset()
    this.#send(bytes).then(
      (answer) => settle(waiting, answer as InsertManyResult),
      (reason) => waiting.forEach(({ reject }) => reject(reason)),
    )
  }
}

function settle(waiting: readonly Waiting[], { insertedIds, writeErrors, ...commit }: InsertManyResult): void {
  const errors = new Map(writeErrors?.map((error) => [error.index, error]))
  for (let index = 0; index < waiting.length; index++) {
    const error = errors.get(index)
    if (error === undefined) waiting[index]!.resolve({ insertedId: insertedIds[index]!, ...commit })
    else waiting[index]!.reject(fromEngine(error))
  }
}
