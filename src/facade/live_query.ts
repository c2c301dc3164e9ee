// Observables by `liveQuery`: a function that runs again whenever what it read may have changed.
//
// Not maintained by the engine, but for a function that answers with a cursor or a pipeline: that is followed.
// Invariants: a change after the function began to read is never missed; one run at a time; after `unsubscribe` nobody is
// called.

import { Aggregation } from './aggregation.js'
import { Cursor } from './cursor.js'
import { invalid } from './errors.js'
import { readObserver, tell } from './follow.js'
import { report } from './listeners.js'
import { describe } from './options.js'
import { watchReads, type Read } from './reads.js'
import type { Change, Followable, LiveObserver, LiveQuery, Subscription } from './types.js'

/**
 * An observable of what `querier` answers: run again after each commit, of any tab, to a collection that something in this
 * context read while it ran. A cursor or a pipeline that it answers with is followed, and its documents are the value.
 */
export function liveQuery<T>(querier: () => Followable<T>): LiveQuery<readonly T[]>
export function liveQuery<T>(querier: () => T | Promise<T>): LiveQuery<T>
export function liveQuery(querier: () => unknown): LiveQuery<any> {
  if (typeof querier !== 'function') throw invalid(`liveQuery takes a function, not ${describe(querier)}`, { hint: 'e.g. `liveQuery(() => notes.find({ open: true }))`' })
  const observable: LiveQuery<any> = {
    subscribe(given, error) {
      const observer = readObserver(given)
      return new Run(querier, error === undefined ? observer : { ...observer, error })
    },
  }
  // What RxJS and others look for.
  Object.defineProperty(observable, (Symbol as { observable?: symbol }).observable ?? '@@observable', { value: () => observable })
  return observable
}

/** One subscription. */
class Run implements Subscription {
  readonly #querier: () => unknown
  readonly #observer: LiveObserver<unknown>
  /** What was read, by database; `undefined` among its collections: anything. */
  #reads = new Map<Read, Set<string | undefined>>()
  readonly #stops = new Map<Read, () => void>()
  #follows: (() => void) | undefined
  #isRunning = false
  #isStale = false
  #isOver = false

  constructor(querier: () => unknown, observer: LiveObserver<unknown>) {
    this.#querier = querier
    this.#observer = observer
    void this.#run()
  }

  get closed(): boolean {
    return this.#isOver
  }

  unsubscribe(): void {
    this.#isOver = true
    this.#follows?.()
    this.#stops.forEach((stop) => stop())
    this.#stops.clear()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    do {
      this.#isStale = false
      this.#reads = new Map()
      const end = watchReads((from, collection) => this.#note(from, collection))
      try {
        const answer = this.#querier()
        if (answer instanceof Cursor || answer instanceof Aggregation) this.#follow(answer)
        else this.#tell(await answer)
      } catch (thrown) {
        this.#fail(thrown)
      } finally {
        end()
      }
      this.#forget()
    } while (this.#isStale && !this.#isOver && this.#follows === undefined)
    this.#isRunning = false
  }

  #follow(cursor: Cursor<any, unknown> | Aggregation<unknown>): void {
    if (!this.#isOver) this.#follows = cursor.subscribe({ next: ({ docs }) => this.#tell(docs), error: (thrown) => this.#fail(thrown) })
  }

  #note(from: Read, collection: string | undefined): void {
    if (this.#isOver) return
    const collections = this.#reads.get(from) ?? new Set()
    this.#reads.set(from, collections.add(collection))
    if (!this.#stops.has(from)) this.#stops.set(from, from.on('change', (change) => this.#changed(from, change)))
  }

  #changed(from: Read, { reset, changes }: Change): void {
    const collections = this.#reads.get(from)
    if (collections === undefined || !(reset || collections.has(undefined) || changes.some(({ collection }) => collections.has(collection)))) return
    this.#isStale = true
    if (!this.#isRunning && !this.#isOver) void this.#run()
  }

  /** Lets go of databases that were not read this time. */
  #forget(): void {
    for (const [from, stop] of this.#stops) {
      if (this.#reads.has(from)) continue
      stop()
      this.#stops.delete(from)
    }
  }

  #tell(value: unknown): void {
    if (!this.#isOver) tell(() => this.#observer.next?.(value))
  }

  #fail(thrown: unknown): void {
    if (this.#isOver) return
    if (this.#observer.error === undefined) report(thrown)
    else tell(() => this.#observer.error!(thrown))
  }
}
