// The page's side of worker mode: an engine that is in a worker, as if it were here.
//
// Not another engine: everything above sees the same `Engine`, and decides the same things here; only the work is done there.
// Invariants: a worker has one engine, begins with its opening and ends with its closing; a worker that fails, ends or is ended
// fails every call with `closed`, so nothing waits for ever. (A worker that is ended from outside is noticed by its Web Lock;
// where there are none, on pages without a secure origin, it is not.)

import type { Engine, EngineTransaction, Glue } from './boundary.js'
import { HyphaError, quote } from './errors.js'
import { Instance } from './instance.js'
import type { WorkerLike } from './types.js'
import { owned, type Answer, type Event, type Start, type Verb } from './wire.js'

/** How long a worker may take to load its script. */
const START_MS = 30_000

/** How a worker is made. */
export type MakeWorker = () => WorkerLike

/** The package's own worker, where a script knows its own URL. Bundlers look for just these words. */
export const ownWorker: MakeWorker = () => new Worker(new URL('./entry/worker.js', import.meta.url), { type: 'module' })

/** Starts a worker while the wasm is being loaded. What is asked of it before it has begun waits in its line. */
export async function startWorker(make: MakeWorker, loading: Promise<WebAssembly.Module>): Promise<Instance> {
  const remote = new Remote(made(make))
  try {
    remote.start(await loading)
    return remote.instance
  } catch (thrown) {
    remote.end()
    throw thrown
  }
}

function made(make: MakeWorker): WorkerLike {
  try {
    return make()
  } catch (thrown) {
    throw notStarted((thrown as Error | null)?.message ?? String(thrown))
  }
}

interface Waiting {
  resolve(answer: unknown): void
  reject(error: unknown): void
}

/** A worker with its engine. */
class Remote implements Engine {
  readonly instance: Instance
  readonly #worker: WorkerLike
  readonly #waiting = new Map<number, Waiting>()
  readonly #ended = new AbortController()
  #calls = 0
  #transactions = 0
  #isReady = false
  #patience: ReturnType<typeof setTimeout> | undefined
  #lock = ''
  #onCommit: () => void = () => undefined
  #onChange: ((change: Uint8Array) => void) | undefined
  #onLive: (message: Uint8Array) => void = () => undefined
  #onConnection: (event: string) => void = () => undefined

  constructor(worker: WorkerLike) {
    this.#worker = worker
    const glue: Glue = {
      Engine: { open: (config) => this.ask('open', 0, config).then(() => this) },
      on_panic: () => undefined,
      delete_database: () => Promise.reject(new HyphaError('unsupported', 'a worker has one database')),
      __wbg_reset_state: () => undefined,
    }
    this.instance = new Instance(glue, () => this.end())
    worker.addEventListener('message', ({ data }: { data: Answer }) => this.#receive(data))
    worker.addEventListener('messageerror', () => this.#die(gone('said something that does not arrive')))
    worker.addEventListener('error', (event: { message?: string }) => this.#failed(event))
  }

  /** Hands over the wasm. */
  start(module: WebAssembly.Module): void {
    if (!this.instance.alive) return
    this.#lock = `hyphadb:worker:${Math.random().toString(36).slice(2)}`
    this.#patience = setTimeout(() => this.#die(notStarted('it does not answer')), START_MS)
    const start: Start = { hyphadb: 'start', module, lock: this.#lock }
    this.#worker.postMessage(start, [])
  }

  /** The worker lives. When it does not any more, its lock is free. */
  #ready(): void {
    this.#isReady = true
    clearTimeout(this.#patience)
    const locks = typeof navigator === 'undefined' ? undefined : navigator.locks
    locks?.request(this.#lock, { signal: this.#ended.signal }, () => this.#die(gone('has ended'))).catch(() => undefined)
  }

  /** Ends the worker. */
  end(): void {
    clearTimeout(this.#patience)
    this.#ended.abort()
    this.#worker.terminate()
    this.#failAll(gone('was ended'))
  }

  request(request: Uint8Array): Promise<Uint8Array> {
    return this.ask('request', 0, request)
  }

  begin(): EngineTransaction {
    const number = ++this.#transactions
    this.tell('begin', number)
    return new RemoteTransaction(this, number)
  }

  catch_up(): Promise<boolean> {
    return this.ask('catch_up')
  }

  maintain(isAlone: boolean): Promise<boolean> {
    return this.ask('maintain', 0, isAlone)
  }

  database(): Promise<string> {
    return this.ask('database')
  }

  durable_seq(): Promise<number> {
    return this.ask('durable_seq')
  }

  on_commit(callback: () => void): void {
    this.#onCommit = callback
  }

  on_change(callback: ((change: Uint8Array) => void) | undefined): void {
    this.#onChange = callback
    this.tell(callback === undefined ? 'unwatch' : 'watch', 0)
  }

  on_live(callback: (message: Uint8Array) => void): void {
    this.#onLive = callback
  }

  on_connection(callback: (event: string) => void): void {
    this.#onConnection = callback
  }

  close(): Promise<void> {
    return this.ask('close')
  }

  free(): void {
    // The worker ends, and its memory with it.
  }

  /** @internal A call with an answer. */
  ask<T>(verb: Verb, transaction = 0, argument?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.instance.alive || this.#ended.signal.aborted) return reject(gone('has ended'))
      const number = ++this.#calls
      this.#waiting.set(number, { resolve: resolve as Waiting['resolve'], reject })
      this.#worker.postMessage([number, verb, transaction, argument], owned(argument))
    })
  }

  /** @internal A call without. */
  tell(verb: Verb, transaction: number): void {
    this.#worker.postMessage([0, verb, transaction], [])
  }

  #receive(message: Answer): void {
    if (!Array.isArray(message)) return
    const [number, answer, error] = message
    if (number === 0) return this.#happened(answer as Event, error)
    const waiting = this.#waiting.get(number)
    this.#waiting.delete(number)
    if (error === undefined) waiting?.resolve(answer)
    else waiting?.reject(error)
  }

  #happened(event: Event, argument: unknown): void {
    switch (event) {
      case 'ready': return this.#ready()
      case 'died': return this.#die(new Error(String(argument)))
      case 'commit': return this.#onCommit()
      case 'change': return this.#onChange?.(argument as Uint8Array)
      case 'live': return this.#onLive(argument as Uint8Array)
      case 'connection': return this.#onConnection(argument as string)
    }
  }

  /** An error before the worker lives is one of loading it; later ones are of its other scripts, if it has any. */
  #failed(event: { message?: string; preventDefault?: () => void }): void {
    if (this.#isReady) return
    event.preventDefault?.()
    this.#die(notStarted(event.message ?? 'its script cannot be loaded'))
  }

  #die(cause: unknown): void {
    if (this.#ended.signal.aborted) return
    this.instance.die(cause)
    this.end()
  }

  #failAll(reason: HyphaError): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(reason)
  }
}

class RemoteTransaction implements EngineTransaction {
  readonly #remote: Remote
  readonly #number: number

  constructor(remote: Remote, number: number) {
    this.#remote = remote
    this.#number = number
  }

  request(request: Uint8Array): Promise<Uint8Array> {
    return this.#remote.ask('request', this.#number, request)
  }

  commit(durability: string): Promise<Uint8Array> {
    return this.#remote.ask('commit', this.#number, durability)
  }

  rollback(): void {
    this.#remote.tell('rollback', this.#number)
  }

  free(): void {
    // By `rollback`, which always comes before.
  }
}

function gone(how: string): HyphaError {
  return new HyphaError('closed', `the worker of the database ${how}`, {
    hint: 'open the database again: what was acknowledged is safe',
  })
}

function notStarted(why: string): HyphaError {
  return new HyphaError('unavailable', `the worker of the database did not start: ${quote(why)}`, {
    hint: 'serve `hyphadb/worker` as a script of its own, and pass its URL: `thread: { worker: url }`; the Content-Security-Policy needs `worker-src`',
  })
}
