// Transactions: reads of one state, writes that land together or not at all, run again after a conflict.
//
// Not an IndexedDB transaction: any `await` is fine inside.
// Invariants: after its end a transaction takes no requests; a function that throws leaves no effect; a request of it that
// was given up spoils it, so that half of the work is never committed.

import type { EngineTransaction } from './boundary.js'
import type { Channel } from './channel.js'
import { checkedWithin } from './checked.js'
import { encodeRequest, type Request } from './codec.js'
import type { Connection } from './connection.js'
import { Documents } from './documents.js'
import type { InputOf, OutputOf } from './infer.js'
import { HyphaError, invalid } from './errors.js'
import { COUNT, WRITE, checkOptions, describe, type OptionTable } from './options.js'
import { Patience } from './patience.js'
import { noteRead } from './reads.js'
import type { CallOptions, Commit, Document, Schemas, TransactionOptions } from './types.js'

const RETRIES = 32
const TRANSACTION: OptionTable = { ...WRITE, retry: COUNT }

/** What the function of `transaction` works with. */
export class Transaction<S extends Schemas = Schemas> {
  readonly #connection: Connection
  readonly #engine: EngineTransaction
  readonly #patience: Patience | undefined
  readonly #open = new Set<Promise<unknown>>()
  /** @internal Without what schemas that are called here say. */
  readonly channel: Channel = { ask: (request, options) => this.#request(request, options), write: (request, options) => this.#request(request, options) }
  #over: HyphaError | undefined
  #line: Promise<unknown> = Promise.resolve()

  /** @internal Made by `transaction`. */
  constructor(connection: Connection, engine: EngineTransaction, patience: Patience | undefined) {
    this.#connection = connection
    this.#engine = engine
    this.#patience = patience
  }

  /** The documents of a collection, as this transaction sees them. */
  collection<N extends keyof S & string>(name: N): Documents<OutputOf<S[N]>, InputOf<S[N]>>
  collection<T extends object = Document>(name: keyof S & string): Documents<T>
  collection(name: string): Documents<any> {
    if (typeof name !== 'string') throw invalid(`name of a collection is ${describe(name)}, not a string`)
    const called = this.#connection.config.called.get(name)
    return new Documents(called === undefined ? this.channel : checkedWithin(this.channel, called, this), name)
  }

  /** @internal Commits, when everything that was asked has been answered. */
  async commit(options: TransactionOptions | undefined): Promise<Commit> {
    await Promise.all(this.#open)
    if (this.#over !== undefined) throw this.#over
    this.#patience?.check()
    this.#over = ended()
    return this.#connection.commit(this.#engine, options?.durability)
  }

  /** @internal Runs `work` when what was put in line before has ended. */
  inLine<R>(work: () => Promise<R>): Promise<R> {
    const done = this.#line.then(work)
    this.#open.add(done)
    const forget = (): void => void this.#open.delete(done)
    this.#line = done.then(forget, forget)
    return done
  }

  /** @internal Half of something was done: this is never committed. */
  spoil(reason: unknown): void {
    this.#over ??= reason instanceof HyphaError ? reason : ended()
  }

  /** @internal Whatever happened, this is over. */
  end(): void {
    this.#over = ended()
    this.#connection.abandon(this.#engine)
  }

  async #request(request: Request, options: CallOptions | undefined): Promise<unknown> {
    if (this.#over !== undefined) throw this.#over
    const patience = Patience.from(options)
    this.#patience?.check()
    patience?.check()
    noteRead(this.#connection, request)
    const bytes = encodeRequest(request)
    const asked = this.#connection.call(() => this.#engine.request(bytes))
    this.#open.add(asked)
    const done = (): void => void this.#open.delete(asked)
    asked.then(done, done)
    let answer = asked
    for (const limit of [patience, this.#patience]) {
      if (limit !== undefined) answer = limit.race(answer)
    }
    try {
      return await answer
    } catch (thrown) {
      if (thrown instanceof HyphaError && thrown.code === 'cancelled') this.#over = thrown
      throw thrown
    }
  }
}

/** @internal Runs `work` until it commits without a conflict. */
export async function runTransaction<S extends Schemas, R>(
  connection: Connection, work: (transaction: Transaction<S>) => Promise<R> | R, options: TransactionOptions | undefined,
): Promise<R> {
  return (await runCommitted(connection, work, options))[0]
}

/** @internal The same, and what the commit says. */
export async function runCommitted<S extends Schemas, R>(
  connection: Connection, work: (transaction: Transaction<S>) => Promise<R> | R, options: TransactionOptions | undefined,
): Promise<readonly [R, Commit]> {
  checkOptions(options, TRANSACTION, 'transaction')
  if (typeof work !== 'function') throw invalid(`transaction takes a function, not ${describe(work)}`, { hint: 'e.g. `db.transaction(async (tx) => { … })`' })
  const patience = Patience.from(options)
  const retries = options?.retry ?? RETRIES
  return connection.inTurn(retries, async () => {
    patience?.check()
    const transaction = new Transaction<S>(connection, connection.begin(), patience)
    try {
      const running = Promise.resolve(work(transaction))
      const result = await (patience === undefined ? running : patience.race(running))
      return [result, await transaction.commit(options)]
    } finally {
      transaction.end()
    }
  })
}

function ended(): HyphaError {
  return new HyphaError('closed', 'the transaction has ended', { hint: 'use `tx` only inside the function, and await everything in it' })
}
