// Who wants to be told of what happens to a database.
//
// Not a queue: the engine's callbacks come from one already (`src/bindings/callbacks.rs`).
// Invariants: a listener that throws keeps nobody else from being told; one that was taken away is not called again.

import type { Events } from './types.js'

type Listener = (event: never) => void

export class Listeners {
  readonly #lists = new Map<keyof Events, Set<Listener>>()

  /** Calls `listener` at each event; answers how to stop that. */
  add<E extends keyof Events>(event: E, listener: (event: Events[E]) => void): () => void {
    const list = this.#lists.get(event) ?? new Set()
    this.#lists.set(event, list)
    // A function of its own, so that the same listener may be added twice.
    const own: Listener = (what) => listener(what)
    list.add(own)
    return () => void list.delete(own)
  }

  /** Whether anybody listens. */
  has(event: keyof Events): boolean {
    return (this.#lists.get(event)?.size ?? 0) > 0
  }

  /** Tells everyone. */
  emit<E extends keyof Events>(event: E, what: Events[E]): void {
    const list = this.#lists.get(event)
    for (const listener of [...(list ?? [])]) {
      if (!list!.has(listener)) continue
      try {
        listener(what as never)
      } catch (thrown) {
        report(thrown)
      }
    }
  }
}

/** As with events of the platform: what a listener throws is the page's error, and others are still told. */
export function report(thrown: unknown): void {
  if (typeof reportError === 'function') reportError(thrown)
  else queueMicrotask(() => { throw thrown })
}
