// One opened database: the engine with its background work, its hints to other contexts and its listeners.
//
// Not what users hold: a `Database` is a handle on this, and several handles may share one.
// Invariants: every call of the engine passes here, so what it throws becomes a HyphaError; after the end every call,
// pending ones included, fails with `closed`.

import { Read, type Engine, type EngineTransaction, type Reply } from './boundary.js'
import { Calls, stopped } from './calls.js'
import { decode, encode, encodeRequest, type Request } from './codec.js'
import type { Config } from './config.js'
import { fromEngine } from './engine_error.js'
import { HyphaError, isTrap } from './errors.js'
import { Gather } from './gather.js'
import type { Instance } from './instance.js'
import { Line, type Leave } from './line.js'
import { Lives } from './live.js'
import { Listeners } from './listeners.js'
import { MarkKeeper, type Mark } from './mark.js'
import { News } from './news.js'
import type { Patience } from './patience.js'
import { Peers } from './peers.js'
import type { Prelude } from './prelude.js'
import { noteRead } from './reads.js'
import { Timer } from './timer.js'
import type { Change, Commit, Durability, Events, InsertOneResult } from './types.js'

type Answer = Reply | Promise<Reply>

/** How often a write is run again after a conflict, beyond the tries that the engine makes by itself. */
const TURNS_MAX = 64
/** How long after the opening it is looked for news: the first answer need not wait. */
const AFTER_MS = 30

export class Connection {
  readonly config: Config
  /** The live queries. */
  readonly lives = new Lives((request) => this.#send(request))
  readonly #engine: Engine
  readonly #instance: Instance
  readonly #calls: Calls
  readonly #peers: Peers | undefined
  readonly #timer: Timer
  readonly #line = new Line()
  readonly #gather = new Gather((bytes) => this.#write(bytes))
  readonly #marks: MarkKeeper | undefined
  readonly #listeners = new Listeners()
  readonly #prelude: Prelude
  readonly #onEnd: () => void
  readonly #forgetInstance: () => void
  readonly #after: ReturnType<typeof setTimeout> | undefined
  #closing: Promise<void> | undefined
  #isOver = false

  /** `onEnd` is called once, whatever the end. */
  static async open(instance: Instance, config: Config, prelude: Prelude, onEnd: () => void): Promise<Connection> {
    try {
      const bytes = encode({ ...config.engine, mark: await prelude.mark }, 'configuration')
      const readAhead = await prelude.take()
      const engine = await instance.untilDeath(instance.glue.Engine.open(bytes, readAhead))
      await finish(prelude, engine)
      return new Connection(instance, engine, config, prelude, onEnd)
    } catch (thrown) {
      prelude.end()
      if (isTrap(thrown)) instance.die(thrown)
      instance.leave()
      throw instance.alive ? fromEngine(thrown) : stopped(thrown)
    }
  }

  private constructor(instance: Instance, engine: Engine, config: Config, prelude: Prelude, onEnd: () => void) {
    this.config = config
    this.#engine = engine
    this.#instance = instance
    this.#calls = new Calls(instance)
    this.#prelude = prelude
    this.#onEnd = onEnd
    this.#forgetInstance = instance.onDeath((cause) => this.#end(() => stopped(cause)))
    const news = new News(() => this.#calls.settle(() => engine.catch_up()))
    this.#peers = config.storage === 'memory' ? undefined : new Peers(config.name, () => void news.hint())
    const exclusively = (work: () => Promise<void>): Promise<void> => (this.#peers === undefined ? work() : this.#peers.exclusively(work))
    this.#timer = new Timer(() => this.#maintain(), exclusively)
    this.#marks = config.storage === 'memory' ? undefined : new MarkKeeper(config.name, () => this.#mark())
    engine.on_commit(() => this.#committed())
    engine.on_live((message) => this.lives.receive(decode(message)))
    engine.read_with?.({ read })
    engine.on_connection((event) => this.#connectionChanged(event))
    // What was committed while the engine was being loaded was told to nobody here.
    this.#after = this.#peers === undefined ? undefined : setTimeout(() => void news.hint(), AFTER_MS)
    this.#timer.wake()
    this.#marks?.wake()
  }

  /** Reads. Given up on, the answer is thrown away when it comes. */
  async ask(request: Request, patience: Patience | undefined): Promise<unknown> {
    patience?.check()
    noteRead(this, request)
    const answer = this.#send(request)
    return patience === undefined ? answer : patience.race(answer)
  }

  #send(request: Request): Promise<unknown> {
    const bytes = encodeRequest(request)
    return this.call(() => this.#engine.request(bytes))
  }

  /**
   * The answer to a `get` of one key: at once where the document is in memory. The request is a pair, which the engine
   * knows at a glance.
   */
  get(collection: string, key: unknown): unknown {
    this.#calls.check()
    noteRead(this, { op: 'get', collection })
    let request: Uint8Array
    try {
      request = encode([collection, key])
    } catch {
      // It says better what is wrong with the key.
      return this.ask({ op: 'get', keys: [key], collection }, undefined)
    }
    const answer = this.#calls.now(() => this.#engine.request(request))
    if (answer instanceof Uint8Array) return decode(answer)
    return answer instanceof Promise ? this.#calls.settle(() => answer).then(opened) : opened(answer)
  }

  /** Writes. Given up on before the commit, there is no effect. */
  async write(request: Request, durability: Durability | undefined, patience: Patience | undefined): Promise<unknown> {
    return this.#write(encodeRequest(durability === undefined ? request : { ...request, durability }), durability, patience)
  }

  /** Inserts one document, together with those that are inserted in the same turn; `undefined` where it is to be written. */
  insert(collection: string, document: object, durability: Durability | undefined): Promise<InsertOneResult> | undefined {
    return this.#gather.insert(collection, document, durability)
  }

  async #write(bytes: Uint8Array, durability?: Durability, patience?: Patience): Promise<unknown> {
    // A worker is handed its bytes, and after a conflict it is handed them again.
    const given = (): Uint8Array => (this.config.worker === undefined ? bytes : bytes.slice())
    const answer = await this.inTurn(TURNS_MAX, () => patience === undefined
      ? this.call(() => this.#engine.request(given()))
      : this.#writePatiently(given(), durability, patience))
    this.#announce(answer)
    return answer
  }

  /** Runs `work`, and again after a conflict, up to `retries` times; in turn with whoever was in the way. */
  async inTurn<R>(retries: number, work: () => Promise<R>): Promise<R> {
    // What was asked for sooner goes sooner.
    this.#gather.flush()
    const turns = this.#peers?.turns
    let leave: Leave | undefined
    let release = await turns?.ifContended()
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          return await work()
        } catch (thrown) {
          if (!isConflict(thrown) || attempt >= retries) throw thrown
        }
        leave ??= await this.#line.join()
        release = await turns?.afterConflict(release, attempt)
      }
    } finally {
      release?.()
      leave?.()
    }
  }

  /** Only a transaction can be left before its commit, so an impatient write becomes one. */
  async #writePatiently(bytes: Uint8Array, durability: Durability | undefined, patience: Patience): Promise<object> {
    patience.check()
    const transaction = this.begin()
    try {
      const answer = await patience.race(this.call(() => transaction.request(bytes)))
      patience.check()
      return { ...(answer as object), ...(await this.commit(transaction, durability)) }
    } finally {
      this.abandon(transaction)
    }
  }

  /** A transaction on the state of now. The caller ends it: `commit`, and `abandon` in any case. */
  begin(): EngineTransaction {
    this.#calls.check()
    return this.#calls.now(() => this.#engine.begin())
  }

  async commit(transaction: EngineTransaction, durability: Durability | undefined): Promise<Commit> {
    const answer = await this.call(() => transaction.commit(durability ?? this.config.durability))
    this.#announce(answer)
    return answer as Commit
  }

  /** Ends a transaction; what was not committed is forgotten. */
  abandon(transaction: EngineTransaction): void {
    if (!this.#instance.alive) return
    try {
      transaction.rollback()
    } catch {
      // It is over already: that is all that is wanted.
    }
    free(transaction)
  }

  /** Calls the engine and decodes its answer. */
  async call(ask: () => Answer): Promise<unknown> {
    this.#calls.check()
    const answer = this.#calls.now(ask)
    return opened(answer instanceof Promise ? await this.#calls.settle(() => answer) : answer)
  }

  /** Calls `listener` at each event, from a queue; answers how to stop that. */
  on<E extends keyof Events>(event: E, listener: (event: Events[E]) => void): () => void {
    const off = this.#listeners.add(event, listener)
    if (event !== 'change') return off
    this.#watch()
    return () => {
      off()
      this.#watch()
    }
  }

  /** Has the engine tell of changes as long as there is someone to listen. */
  #watch(): void {
    if (this.#calls.haveEnded || !this.#instance.alive) return
    this.#engine.on_change(this.#listeners.has('change') ? (bytes) => this.#changed(bytes) : undefined)
  }

  /** Ends it. Commits that are on their way still arrive; every later call fails with `closed`. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    if (this.#calls.haveEnded) return
    this.#gather.flush()
    const engine = this.#engine
    this.#timer.stop()
    const marked = this.#marks?.stop()
    try {
      const closing = this.#calls.settle(() => engine.close())
      this.#calls.refuse(closed)
      await closing
      await marked
    } finally {
      this.#end(closed)
      if (this.#instance.alive) free(engine)
    }
  }

  #end(reason: () => HyphaError): void {
    this.#calls.end(reason)
    if (this.#isOver) return
    this.#isOver = true
    this.lives.end(reason === closed ? undefined : reason)
    clearTimeout(this.#after)
    this.#timer.stop()
    this.#peers?.stop()
    this.#prelude.end()
    this.#forgetInstance()
    this.#onEnd()
    this.#instance.leave()
  }

  async #maintain(): Promise<boolean> {
    const isAlone = await (this.#peers?.areAbsent() ?? true)
    return this.#calls.settle(() => this.#engine.maintain(isAlone))
  }

  #announce(answer: unknown): void {
    const { seq } = answer as Partial<Commit>
    if (seq !== undefined) this.#peers?.announce(seq)
  }

  /** What to remember; nothing once the engine is gone. */
  #mark(): Promise<Mark> | undefined {
    if (this.#calls.haveEnded || !this.#instance.alive) return undefined
    return Promise.all([this.#engine.database(), this.#engine.durable_seq()]).then(([database, seq]) => ({ database, seq }))
  }

  #committed(): void {
    this.#timer.wake()
    this.#marks?.wake()
  }

  #changed(bytes: Uint8Array): void {
    const change = readChange(decode(bytes))
    // A commit may have changed nothing but the engine's own records.
    if (change.reset || change.changes.length > 0) this.#listeners.emit('change', change)
  }

  #connectionChanged(event: string): void {
    if (event === 'lost' || event === 'reopened' || event === 'deleted') this.#listeners.emit('storage', { type: event })
    if (event === 'deleted') {
      this.#end(deleted)
      void this.#marks?.forget()
    }
  }
}

/** Reads an answer that will not stay where it is. Nothing is thrown through the engine, which would be no more of use. */
function read(answer: Uint8Array): Read {
  try {
    return new Read(decode(answer))
  } catch (thrown) {
    return new Read(undefined, thrown as HyphaError)
  }
}

function opened(reply: Reply): unknown {
  if (reply instanceof Uint8Array) return decode(reply)
  if (reply.thrown !== undefined) throw reply.thrown
  return reply.value
}

function isConflict(thrown: unknown): boolean {
  return thrown instanceof HyphaError && thrown.code === 'conflict'
}

function readChange(message: unknown): Change {
  const { seq, own, reset, changes } = message as { seq: number; own: boolean; reset: boolean; changes: [string, ['insert' | 'update' | 'delete', never][]][] }
  return { seq, own, reset, changes: changes.flatMap(([collection, list]) => list.map(([kind, key]) => ({ collection, kind, key }))) }
}

/** Heeds what was learnt while the engine was on its way; where that was a loss, the engine is not to be used. */
async function finish(prelude: Prelude, engine: Engine): Promise<void> {
  try {
    prelude.finish()
  } catch (thrown) {
    await engine.close()
    free(engine)
    throw thrown
  }
}

/** Gives wasm memory back now instead of when the garbage collector comes. */
function free(object: { free(): void }): void {
  try {
    object.free()
  } catch {
    // A call of it is still on its way, and lets go of it at its end.
  }
}

function closed(): HyphaError {
  return new HyphaError('closed', 'the database is closed')
}

function deleted(): HyphaError {
  return new HyphaError('closed', 'the database was deleted by another context', { hint: 'open the database again: it will be empty' })
}
