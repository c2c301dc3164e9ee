// One opened database: the engine with its background work, its hints to other contexts and its listeners.
//
// Not what users hold: a `Database` is a handle on this, and several handles may share one.
// Invariants: every call of the engine passes here, so what it throws becomes a HyphaError; after the end every call,
// pending ones included, fails with `closed`.

import type { Engine, EngineTransaction } from './boundary.js'
import { decode, encode, encodeRequest, type Request } from './codec.js'
import type { Config } from './config.js'
import { HyphaError, fromEngine, isTrap } from './errors.js'
import type { Instance } from './instance.js'
import { Line, type Leave } from './line.js'
import { MarkKeeper, type Mark } from './mark.js'
import type { Patience } from './patience.js'
import { Peers } from './peers.js'
import { Session } from './session.js'
import { Timer } from './timer.js'
import type { Change, Commit, Durability, Events } from './types.js'

type Listener = (event: never) => void
type Answer = Uint8Array | Promise<Uint8Array>

/** How often a write is run again after a conflict, beyond the tries that the engine makes by itself. */
const TURNS_MAX = 64

export class Connection {
  readonly config: Config
  readonly #engine: Engine
  readonly #instance: Instance
  readonly #peers: Peers | undefined
  readonly #timer: Timer
  readonly #line = new Line()
  readonly #marks: MarkKeeper | undefined
  readonly #listeners = new Map<keyof Events, Set<Listener>>()
  readonly #pending = new Set<(reason: HyphaError) => void>()
  readonly #session: Session | undefined
  readonly #onEnd: () => void
  readonly #forgetInstance: () => void
  /** Why every call fails; an error of its own for each. */
  #ended: (() => HyphaError) | undefined
  #catchingUp = false
  #newsWaits = false

  /** `onEnd` is called once, whatever the end. */
  static async open(instance: Instance, config: Config, mark: Mark | undefined, onEnd: () => void): Promise<Connection> {
    const bytes = encode({ ...config.engine, mark }, 'configuration')
    const begun = config.storage === 'memory' ? undefined : Session.begin(config.name)
    try {
      const engine = await instance.glue.Engine.open(bytes)
      const { session, wasKilled } = (await begun) ?? {}
      // Before anything is written. Where it fails, what is stored is as safe as the browser makes it.
      if (wasKilled === true) await engine.retire_log().catch(() => undefined)
      return new Connection(instance, engine, config, session, onEnd)
    } catch (thrown) {
      void begun?.then(({ session }) => session.end())
      if (isTrap(thrown)) instance.die(thrown)
      throw fromEngine(thrown)
    }
  }

  private constructor(instance: Instance, engine: Engine, config: Config, session: Session | undefined, onEnd: () => void) {
    this.config = config
    this.#engine = engine
    this.#instance = instance
    this.#session = session
    this.#onEnd = onEnd
    this.#forgetInstance = instance.onDeath((cause) => this.#end(() => stopped(cause)))
    this.#peers = config.storage === 'memory' ? undefined : new Peers(config.name, () => void this.#catchUp())
    const exclusively = (work: () => Promise<void>): Promise<void> => (this.#peers === undefined ? work() : this.#peers.exclusively(work))
    this.#timer = new Timer((sliceMs) => this.#settle(() => engine.maintain(sliceMs)), exclusively)
    this.#marks = config.storage === 'memory' ? undefined : new MarkKeeper(config.name, () => this.#mark())
    engine.on_commit((bytes) => this.#committed(bytes))
    engine.on_connection((event) => this.#connectionChanged(event))
    this.#timer.wake()
    this.#marks?.wake()
  }

  /** Reads. Given up on, the answer is thrown away when it comes. */
  async ask(request: Request, patience: Patience | undefined): Promise<unknown> {
    patience?.check()
    const bytes = encodeRequest(request)
    const answer = this.call(() => this.#engine.request(bytes))
    return patience === undefined ? answer : patience.race(answer)
  }

  /** Writes. Given up on before the commit, there is no effect. */
  async write(request: Request, durability: Durability | undefined, patience: Patience | undefined): Promise<unknown> {
    const bytes = encodeRequest(durability === undefined ? request : { ...request, durability })
    const answer = await this.inTurn(TURNS_MAX, () => patience === undefined
      ? this.call(() => this.#engine.request(bytes))
      : this.#writePatiently(bytes, durability, patience))
    this.#announce(answer)
    return answer
  }

  /** Runs `work`, and again after a conflict, up to `retries` times; in turn with whoever was in the way. */
  async inTurn<R>(retries: number, work: () => Promise<R>): Promise<R> {
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
    this.check()
    try {
      return this.#engine.begin()
    } catch (thrown) {
      throw this.#failure(thrown)
    }
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
    this.check()
    let answer: Answer
    try {
      answer = ask()
    } catch (thrown) {
      throw this.#failure(thrown)
    }
    return decode(answer instanceof Uint8Array ? answer : await this.#settle(() => answer as Promise<Uint8Array>))
  }

  /** Throws `closed` after the end. */
  check(): void {
    if (this.#ended !== undefined) throw this.#ended()
  }

  /** Calls `listener` at each event, from a queue; answers how to stop that. */
  on<E extends keyof Events>(event: E, listener: (event: Events[E]) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners)
    // A function of its own, so that the same listener may be added twice.
    const own: Listener = (what) => listener(what)
    listeners.add(own)
    return () => void listeners.delete(own)
  }

  /** Ends it. Commits that are on their way still arrive; every later call fails with `closed`. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return
    const engine = this.#engine
    this.#timer.stop()
    const marked = this.#marks?.stop()
    try {
      const closing = engine.close()
      this.#ended = closed
      await closing
      await marked
    } catch (thrown) {
      throw this.#failure(thrown)
    } finally {
      this.#end(closed)
      if (this.#instance.alive) free(engine)
    }
  }

  #end(reason: () => HyphaError): void {
    this.#ended ??= reason
    this.#timer.stop()
    this.#peers?.stop()
    this.#session?.end()
    this.#forgetInstance()
    for (const reject of this.#pending) reject(reason())
    this.#pending.clear()
    this.#onEnd()
  }

  /** A promise of the engine that also ends when the engine does: a trap leaves its promises open for ever. */
  #settle<T>(start: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject)
      const done = (): void => void this.#pending.delete(reject)
      const fail = (thrown: unknown): void => {
        done()
        reject(this.#failure(thrown))
      }
      try {
        start().then((value) => {
          done()
          resolve(value)
        }, fail)
      } catch (thrown) {
        fail(thrown)
      }
    })
  }

  #failure(thrown: unknown): HyphaError {
    if (!isTrap(thrown)) return fromEngine(thrown)
    this.#instance.die(thrown)
    return stopped(thrown)
  }

  #announce(answer: unknown): void {
    const { seq } = answer as Partial<Commit>
    if (seq !== undefined) this.#peers?.announce(seq)
  }

  /** What to remember; nothing once the engine is gone. */
  #mark(): Mark | undefined {
    if (this.#ended !== undefined || !this.#instance.alive) return undefined
    return { database: this.#engine.database(), seq: this.#engine.durable_seq() }
  }

  #committed(bytes: Uint8Array): void {
    this.#timer.wake()
    this.#marks?.wake()
    if ((this.#listeners.get('change')?.size ?? 0) === 0) return
    const change = readChange(decode(bytes))
    // A commit may have changed nothing but the engine's own records.
    if (change.reset || change.changes.length > 0) this.#emit('change', change)
  }

  #connectionChanged(event: string): void {
    if (event === 'lost' || event === 'reopened' || event === 'deleted') this.#emit('storage', { type: event })
    if (event === 'deleted') {
      this.#end(deleted)
      void this.#marks?.forget()
    }
  }

  #emit<E extends keyof Events>(event: E, what: Events[E]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(what as never)
      } catch (thrown) {
        // As with events of the platform: the error is the page's, and the other listeners are still told.
        if (typeof reportError === 'function') reportError(thrown)
        else queueMicrotask(() => { throw thrown })
      }
    }
  }

  /** Looks for commits of other contexts; hints that come meanwhile are answered by one more look. */
  async #catchUp(): Promise<void> {
    if (this.#catchingUp) {
      this.#newsWaits = true
      return
    }
    this.#catchingUp = true
    try {
      do {
        this.#newsWaits = false
        await this.#settle(() => this.#engine.catch_up())
      } while (this.#newsWaits && this.#ended === undefined)
    } catch {
      // A look that fails is made good by the next one, at the latest by the next commit.
    } finally {
      this.#catchingUp = false
    }
  }
}

function isConflict(thrown: unknown): boolean {
  return thrown instanceof HyphaError && thrown.code === 'conflict'
}

function readChange(message: unknown): Change {
  const { seq, own, reset, changes } = message as { seq: number; own: boolean; reset: boolean; changes: [string, ['insert' | 'update' | 'delete', never][]][] }
  return { seq, own, reset, changes: changes.flatMap(([collection, list]) => list.map(([kind, key]) => ({ collection, kind, key }))) }
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

function stopped(cause: unknown): HyphaError {
  return new HyphaError('closed', 'the engine stopped because of a bug in it', {
    hint: 'open the database again: what was acknowledged is safe; please report the `cause`',
    cause,
  })
}
