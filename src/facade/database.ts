// What `open` answers with: a handle on an opened database.
//
// Not the connection: handles of the same name share one, and the last that is closed closes it.
// Invariants: `close` may be called any number of times; a closed handle fails every call with `closed`, whatever other
// handles do; its listeners are gone with it.

import type { Channel } from './channel.js'
import { checked } from './checked.js'
import type { Request } from './codec.js'
import { Collection } from './collection.js'
import { readConfig } from './config.js'
import type { Connection } from './connection.js'
import { HyphaError, invalid, quote } from './errors.js'
import type { InputOf, Known, OutputOf, SchemasOf } from './infer.js'
import type { Follower } from './live.js'
import type { Source } from './load.js'
import { CALL, checkOptions, describe, nearestTo } from './options.js'
import { Patience } from './patience.js'
import { acquire, release, remove } from './registry.js'
import { Transaction, runCommitted, runTransaction } from './transaction.js'
import type { Advice, CallOptions, CollectionConfig, CollectionInfo, Document, Events, OpenConfig, Schemas, SlowQuery, Stats, TransactionOptions, WriteOptions } from './types.js'

/** Runtimes that do not know it yet get the symbol that the proposal's polyfills use. */
const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')
const EVENTS = ['change', 'storage'] as const

export class Database<S extends Schemas = Schemas> {
  /** The database's name. */
  readonly name: string
  readonly #connection: Connection
  readonly #channel: Channel
  readonly #offs = new Set<() => void>()
  #closed = false

  /** @internal Made by `open`. */
  constructor(connection: Connection) {
    this.name = connection.config.name
    this.#connection = connection
    this.#channel = {
      get: (collection, key) => this.#live().get(collection, key),
      ask: async (request, options) => this.#live().ask(request, Patience.from(options)),
      live: (request, follower) => this.#follow(request, follower),
      write: async (request, options: WriteOptions | undefined) => this.#live().write(request, options?.durability, Patience.from(options)),
      insert: (collection, document, options) => Patience.from(options) === undefined ? this.#live().insert(collection, document, options?.durability) : undefined,
    }
  }

  /** A collection, typed by the configuration or by hand: `collection<Reading>('readings')`. */
  collection<N extends keyof S & string>(name: N): Collection<OutputOf<S[N]>, InputOf<S[N]>>
  collection<T extends object = Document>(name: keyof S & string): Collection<T>
  collection(name: string): Collection<any> {
    if (typeof name !== 'string' || name === '') throw invalid(`name of a collection is ${describe(name)}, not a string`)
    const called = this.#connection.config.called.get(name)
    return new Collection(called === undefined ? this.#channel : checked(this.#channel, called, (work, options) => this.#together(work, options)), name)
  }

  /** The collections that there are. */
  async collections(options?: CallOptions): Promise<CollectionInfo[]> {
    checkOptions(options, CALL, 'collections')
    return ((await this.#channel.ask({ op: 'collections' }, options)) as { collections: CollectionInfo[] }).collections
  }

  /**
   * Reads one state and writes all or nothing. `work` may await anything; it is run again after a conflict, so it should
   * do nothing that cannot be done twice.
   */
  async transaction<R>(work: (transaction: Transaction<S>) => Promise<R> | R, options?: TransactionOptions): Promise<R> {
    return runTransaction<S, R>(this.#live(), work, options)
  }

  /** Figures about the whole database. */
  async stats(options?: CallOptions): Promise<Stats> {
    checkOptions(options, CALL, 'stats')
    return (await this.#channel.ask({ op: 'stats' }, options)) as Stats
  }

  /**
   * The queries that took long (`alertThresholds.queryTime`) or read far more than they found, the slowest first; those that
   * differ in values alone are one. Of this context, since it opened the database.
   */
  async slowQueries(options?: CallOptions): Promise<SlowQuery[]> {
    checkOptions(options, CALL, 'slowQueries')
    return ((await this.#channel.ask({ op: 'slow_queries' }, options)) as { queries: SlowQuery[] }).queries
  }

  /** The indexes that the slow queries want, the one that saves most first; then those that no query used. */
  async advise(options?: CallOptions): Promise<Advice[]> {
    checkOptions(options, CALL, 'advise')
    return ((await this.#channel.ask({ op: 'advise' }, options)) as { advice: Advice[] }).advice
  }

  /** Calls `listener` at each event, after the commit; answers how to stop that. */
  on<E extends keyof Events>(event: E, listener: (event: Events[E]) => void): () => void {
    const connection = this.#live()
    if (!EVENTS.includes(event)) {
      const nearest = nearestTo(String(event), EVENTS)
      throw invalid(`event ${quote(event)} is not known`, { hint: nearest === undefined ? `there are: ${EVENTS.join(', ')}` : `did you mean ${quote(nearest)}?` })
    }
    if (typeof listener !== 'function') throw invalid(`listener is ${describe(listener)}, not a function`)
    const stop = connection.on(event, listener)
    const off = (): void => {
      stop()
      this.#offs.delete(off)
    }
    this.#offs.add(off)
    return off
  }

  /** Ends this handle. Writes that are on their way still arrive. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const off of this.#offs) off()
    await release(this.#connection)
  }

  async [asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Follows a query as long as this handle is open. */
  #follow(request: Request, follower: Follower): () => void {
    const live = this.#live().lives.open(request, { ...follower, ended: (reason) => this.#offs.delete(end) && follower.ended(reason) })
    const end = (): void => live.end(undefined)
    this.#offs.add(end)
    return () => {
      this.#offs.delete(end)
      live.stop()
    }
  }

  /** Writes that take effect together; answers with their commit. */
  async #together(work: (channel: Channel) => Promise<object>, options: WriteOptions | undefined): Promise<object> {
    const { signal, timeoutMs, durability } = options ?? {}
    const [answer, commit] = await runCommitted(this.#live(), (transaction) => work(transaction.channel), { signal, timeoutMs, durability })
    return { ...answer, ...commit }
  }

  #live(): Connection {
    if (this.#closed) throw new HyphaError('closed', `database ${quote(this.name)} is closed`)
    return this.#connection
  }
}

/** The functions that an entry exports. */
export interface Door {
  /** Opens a database, or makes it. The same name with the same configuration shares one connection. */
  open<N extends string, const C extends { readonly [Name in N]: CollectionConfig<any> }>(
    config: Omit<OpenConfig, 'collections'> & { collections?: (C & Known<C>) | undefined },
  ): Promise<Database<SchemasOf<C>>>
  open<S extends Schemas>(config: OpenConfig<S>): Promise<Database<S>>
  /**
   * Deletes a database and all that is in it. Other contexts that have it open are told. It may be given up on until the
   * deletion itself begins; this context's handles may be closed by then.
   */
  deleteDatabase(name: string, options?: CallOptions): Promise<void>
}

/** @internal The functions for a runtime: they differ only in where the wasm comes from. */
export function door(source: Source): Door {
  return {
    async open(given: OpenConfig): Promise<Database<any>> {
      const config = readConfig(given)
      const patience = Patience.from(given)
      patience?.check()
      const opening = acquire(source, config, given.wasm, given.onMigration)
      if (patience === undefined) return new Database(await opening)
      try {
        return new Database(await patience.race(opening))
      } catch (thrown) {
        // Whoever gave up holds no handle: what opens after all is given back.
        opening.then(release).catch(() => undefined)
        throw thrown
      }
    },
    async deleteDatabase(name, options) {
      checkOptions(options, CALL, 'deleteDatabase')
      if (typeof name !== 'string' || name === '') throw invalid(`name of a database is ${describe(name)}, not a string`)
      const patience = Patience.from(options)
      patience?.check()
      await remove(source, name, patience)
    },
  }
}
