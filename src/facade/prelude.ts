// What goes on while the engine of a database is being loaded: everything that need not wait for it, begun at once.
//
// Not needed for an answer to be right, except that what is learnt here about a loss is heeded.
// Invariant: whoever begins it ends it, by `finish` or by `end`.

import type { Config } from './config.js'
import { HeadStart, type ReadAhead } from './head_start.js'
import { readMark, type Mark } from './mark.js'
import { Session, type Begun } from './session.js'

export class Prelude {
  /** What is remembered of the database outside of it. */
  readonly mark: Promise<Mark | undefined>
  /** The session, and how the one before ended. None where nothing is kept. */
  readonly session: Promise<Begun> | undefined
  readonly #headStart: HeadStart | undefined
  readonly #acceptsLoss: boolean

  constructor(config: Pick<Config, 'name' | 'storage' | 'acceptLoss' | 'worker'>) {
    const { name, storage, acceptLoss, worker } = config
    const isKept = storage !== 'memory'
    this.#acceptsLoss = acceptLoss
    // A connection cannot be handed to a worker.
    this.#headStart = isKept ? new HeadStart(name, { reads: worker === undefined }) : undefined
    this.mark = isKept && !acceptLoss ? readMark(name) : Promise.resolve(undefined)
    this.session = isKept ? Session.begin(name) : undefined
  }

  /** See `HeadStart.take`. */
  async take(): Promise<ReadAhead | undefined> {
    return this.#headStart?.take()
  }

  /** The engine has opened the database. Throws `lost` when the browser has said here that it was, unless that is accepted. */
  finish(): void {
    try {
      this.#headStart?.finish()
    } catch (lost) {
      if (!this.#acceptsLoss) throw lost
    }
  }

  /** Nothing came of it, or it is over. */
  end(): void {
    this.#headStart?.end()
    void this.session?.then(({ session }) => session.end())
  }
}
