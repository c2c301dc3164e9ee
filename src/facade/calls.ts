// The calls of one engine that are under way.
//
// Not the calls themselves. A trap leaves the engine's promises open for ever: what is awaited is awaited through here.
// Invariants: what the engine throws becomes a HyphaError; a trap ends the instance; after the end every call, those under
// way included, fails with the reason of the end, as an error of its own.

import { fromEngine } from './engine_error.js'
import { HyphaError, isTrap } from './errors.js'
import type { Instance } from './instance.js'

export class Calls {
  readonly #instance: Instance
  readonly #pending = new Set<(reason: HyphaError) => void>()
  #ended: (() => HyphaError) | undefined

  constructor(instance: Instance) {
    this.#instance = instance
  }

  get haveEnded(): boolean {
    return this.#ended !== undefined
  }

  /** Throws after the end. */
  check(): void {
    if (this.#ended !== undefined) throw this.#ended()
  }

  /** Calls from now on are refused; those under way go on. */
  refuse(reason: () => HyphaError): void {
    this.#ended ??= reason
  }

  /** Ends all of them. */
  end(reason: () => HyphaError): void {
    this.#ended ??= reason
    for (const reject of this.#pending) reject(reason())
    this.#pending.clear()
  }

  /** What `call` answers at once. */
  now<T>(call: () => T): T {
    try {
      return call()
    } catch (thrown) {
      throw this.failure(thrown)
    }
  }

  /** What the promise of `start` comes to, or the end when that is sooner. */
  settle<T>(start: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject)
      const fail = (thrown: unknown): void => {
        this.#pending.delete(reject)
        reject(this.failure(thrown))
      }
      try {
        start().then((value) => {
          this.#pending.delete(reject)
          resolve(value)
        }, fail)
      } catch (thrown) {
        fail(thrown)
      }
    })
  }

  /** What the engine threw, as an error for the caller. */
  failure(thrown: unknown): HyphaError {
    if (!isTrap(thrown)) return fromEngine(thrown)
    this.#instance.die(thrown)
    return stopped(thrown)
  }
}

/** Why the calls of an instance that died fail. */
export function stopped(cause: unknown): HyphaError {
  if (cause instanceof HyphaError) return new HyphaError(cause.code, cause.message, { hint: cause.hint, details: cause.details, cause: cause.cause })
  return new HyphaError('closed', 'the engine stopped because of a bug in it', {
    hint: 'open the database again: what was acknowledged is safe; please report the `cause`',
    cause,
  })
}
