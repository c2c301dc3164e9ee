// How long a caller waits: a signal and a time limit, as one thing.
//
// Not a way to stop the engine: what was committed stays committed. Who uses it never hides an outcome: while a commit
// is on its way nobody gives up on it.
// Invariant: listeners and timers are gone when the call is over.

import { HyphaError } from './errors.js'
import type { CallOptions } from './types.js'

/** A caller's patience with one call. */
export class Patience {
  readonly #signal: AbortSignal | undefined
  readonly #deadline: number | undefined
  readonly #timeoutMs: number | undefined

  /** None for a caller that waits for as long as it takes. */
  static from(options: CallOptions | undefined): Patience | undefined {
    if (options?.signal === undefined && options?.timeoutMs === undefined) return undefined
    return new Patience(options)
  }

  private constructor({ signal, timeoutMs }: CallOptions) {
    this.#signal = signal
    this.#timeoutMs = timeoutMs
    this.#deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs
  }

  /** Throws `cancelled` when it is over. */
  check(): void {
    if (this.#signal?.aborted) throw this.#aborted()
    if (this.#deadline !== undefined && performance.now() >= this.#deadline) throw this.#timedOut()
  }

  /** The outcome of `work`, or `cancelled` when that is sooner. `work` itself goes on. */
  async race<T>(work: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined
    let onAbort: (() => void) | undefined
    const over = new Promise<never>((_, reject) => {
      onAbort = () => reject(this.#aborted())
      if (this.#signal?.aborted) return onAbort()
      this.#signal?.addEventListener('abort', onAbort)
      // A timer takes 31 bits; who waits longer than 24 days needs none.
      const rest = this.#deadline === undefined ? Infinity : this.#deadline - performance.now()
      if (rest < 0x7fffffff) timer = setTimeout(() => reject(this.#timedOut()), rest)
    })
    try {
      return await Promise.race([work, over])
    } finally {
      clearTimeout(timer)
      if (onAbort !== undefined) this.#signal?.removeEventListener('abort', onAbort)
    }
  }

  #aborted(): HyphaError {
    return new HyphaError('cancelled', 'the call was aborted by its signal', { cause: this.#signal?.reason })
  }

  #timedOut(): HyphaError {
    return new HyphaError('cancelled', `the call took longer than its ${this.#timeoutMs} ms`, {
      hint: 'nothing was written; raise `timeoutMs` or try again later',
      details: { timeoutMs: this.#timeoutMs },
    })
  }
}
