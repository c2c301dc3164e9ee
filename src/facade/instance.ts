// One instance of the wasm, alive until it traps.
//
// Not a way to survive a trap: all databases of the instance end with it; `load.ts` starts the next one.
// Invariant: `die` takes effect once, and everyone who asked is told.

import type { Glue } from './boundary.js'

/** An instance and what depends on it. */
export class Instance {
  readonly glue: Glue
  readonly leave: () => void
  #alive = true
  #cause: unknown
  readonly #mourners = new Set<(cause: unknown) => void>()

  /** `leave` is called when a database of it is closed. */
  constructor(glue: Glue, leave: () => void = () => undefined) {
    this.glue = glue
    this.leave = leave
    glue.on_panic((message) => this.die(new Error(message)))
  }

  get alive(): boolean {
    return this.#alive
  }

  /** Calls `mourn` when the instance dies; answers how to take that back. */
  onDeath(mourn: (cause: unknown) => void): () => void {
    this.#mourners.add(mourn)
    return () => this.#mourners.delete(mourn)
  }

  /** What `work` comes to; or the cause of death, when that is sooner: then `work` may never end. */
  untilDeath<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const forget = this.onDeath(reject)
      if (!this.#alive) reject(this.#cause)
      work.then(resolve, reject).finally(forget)
    })
  }

  /** Marks the instance as dead and tells everyone. */
  die(cause: unknown): void {
    if (!this.#alive) return
    this.#alive = false
    this.#cause = cause
    const mourners = [...this.#mourners]
    this.#mourners.clear()
    for (const mourn of mourners) mourn(cause)
  }
}
