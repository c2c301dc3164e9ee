// The worker's side of worker mode: does what the page asks of an engine.
//
// Not a database of its own: what the page's side decides (turns, hints, background work, listeners) is decided there.
// Invariants: a call begins in the order in which it came; every call that wants an answer gets one, unless the engine traps,
// and then the page is told of that; what crosses is bytes and the engine's own plain errors.

import type { Engine, EngineTransaction, Glue } from './boundary.js'
import { isTrap } from './errors.js'
import { owned, type Answer, type Call, type Event, type Start } from './wire.js'

/** What is at the other end: a worker's own scope, or a port. */
export interface Port {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
}

/** Waits for a page on `port`; `instantiate` makes the engine's glue work. */
export function serve(port: Port, glue: Glue, instantiate: (module: WebAssembly.Module) => Promise<unknown>): void {
  let server: Server | undefined
  port.addEventListener('message', ({ data }) => {
    if (isStart(data)) server = new Server(port, glue, data, instantiate(data.module))
    else if (Array.isArray(data)) void server?.receive(data as Call)
  })
}

class Server {
  readonly #port: Port
  readonly #glue: Glue
  readonly #started: Promise<unknown>
  readonly #transactions = new Map<number, EngineTransaction>()
  #engine: Engine | undefined

  constructor(port: Port, glue: Glue, { lock }: Start, instantiated: Promise<unknown>) {
    this.#port = port
    this.#glue = glue
    this.#started = instantiated.then(() => glue.on_panic((message) => this.#tell('died', message)))
    hold(lock, () => this.#tell('ready'))
  }

  async receive([number, verb, transaction, argument]: Call): Promise<void> {
    try {
      // Everything up to the first wait happens in the order of the calls.
      const doing = verb === 'open' ? this.#open(argument as Uint8Array) : this.#perform(verb, transaction, argument)
      const answer = doing instanceof Promise ? await doing : doing
      if (number !== 0) this.#post([number, answer])
    } catch (thrown) {
      if (isTrap(thrown)) this.#tell('died', String(thrown))
      else if (number !== 0) this.#post([number, undefined, thrown instanceof Error ? { message: thrown.message } : thrown])
    }
  }

  async #open(config: Uint8Array): Promise<void> {
    await this.#started
    this.#engine = await this.#glue.Engine.open(config)
    this.#engine.on_commit(() => this.#tell('commit'))
    this.#engine.on_live((message) => this.#tell('live', message))
    this.#engine.on_connection((event) => this.#tell('connection', event))
  }

  #perform(verb: Exclude<Call[1], 'open'>, transaction: number, argument: unknown): unknown {
    const engine = this.#engine
    if (engine === undefined) throw CLOSED
    switch (verb) {
      case 'request': return (transaction === 0 ? engine : this.#transaction(transaction)).request(argument as Uint8Array)
      case 'begin': return void this.#transactions.set(transaction, engine.begin())
      case 'commit': return this.#transaction(transaction).commit(argument as string)
      case 'rollback': return this.#end(transaction)
      case 'watch': return engine.on_change((change) => this.#tell('change', change))
      case 'unwatch': return engine.on_change(undefined)
      case 'maintain': return engine.maintain(argument as boolean)
      default: return engine[verb]()
    }
  }

  #transaction(number: number): EngineTransaction {
    const transaction = this.#transactions.get(number)
    // It could not begin: there is one reason for that.
    if (transaction === undefined) throw CLOSED
    return transaction
  }

  #end(number: number): void {
    const transaction = this.#transactions.get(number)
    this.#transactions.delete(number)
    try {
      transaction?.rollback()
    } finally {
      transaction?.free()
    }
  }

  #tell(event: Event, argument?: unknown): void {
    this.#post([0, event, argument])
  }

  #post(message: Answer): void {
    this.#port.postMessage(message, owned(message[0] === 0 ? message[2] : message[1]))
  }
}

const CLOSED = { code: 'closed', message: 'the database is closed' }

/** Holds a lock until the end of this context, so that the page sees when that is. */
function hold(lock: string, held: () => void): void {
  const locks = typeof navigator === 'undefined' ? undefined : navigator.locks
  const forever = (): Promise<never> => {
    held()
    return new Promise(() => undefined)
  }
  // Without locks the page has to do without.
  if (locks === undefined) held()
  else locks.request(lock, forever).catch(held)
}

function isStart(data: unknown): data is Start {
  return (data as Partial<Start> | null)?.hyphadb === 'start'
}
