// What goes on while the engine of a database is being loaded: everything that need not wait for it, begun at once.
//
// Not needed for an answer to be right, except that what is learnt here about a loss is heeded.
// Invariant: whoever begins it ends it, by `finish` or by `end`.

import type { Config } from './config.js'
import { freshLog } from './fresh_log.js'
import { HeadStart, type ReadAhead } from './head_start.js'
import { readMark, type Mark } from './mark.js'
import { Presence } from './presence.js'

export class Prelude {
  /** What is remembered of the database outside of it. */
  readonly mark: Promise<Mark | undefined>
  /** Before anything is read: what others find nobody reading they may take away. */
  readonly #presence: Presence | undefined
  readonly #headStart: HeadStart | undefined
  readonly #acceptsLoss: boolean

  constructor(config: Pick<Config, 'name' | 'storage' | 'acceptLoss' | 'worker'>) {
    const { name, storage, acceptLoss, worker } = config
    const isKept = storage !== 'memory'
    this.#acceptsLoss = acceptLoss
    if (isKept) void freshLog(name)
    this.#presence = isKept ? new Presence(name) : undefined
    // A connection cannot be handed to a worker.
    this.#headStart = isKept ? new HeadStart(name, { reads: worker === undefined }) : undefined
    this.mark = isKept && !acceptLoss ? readMark(name) : Promise.resolve(undefined)
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
    this.#presence?.end()
  }
}
