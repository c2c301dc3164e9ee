// Ways to follow a live query: as an iteration, and by a listener.
//
// Not the results: they are kept in `live.ts`.
// Invariants: an iteration that is slow is told of several commits at once, never of an old state; whichever way it ends, the
// engine's part ends with it; what a listener throws is reported, and nobody else is kept from being told.

import type { Channel } from './channel.js'
import type { Request } from './codec.js'
import { HyphaError, invalid } from './errors.js'
import { report } from './listeners.js'
import type { Live } from './live.js'
import { describe } from './options.js'
import type { LiveObserver, LiveResult } from './types.js'

/** Starts to follow; answers how to stop. */
type Start = NonNullable<Channel['live']>

/** How to follow in this channel. */
export function startOf(channel: Channel): Start {
  if (channel.live === undefined) throw invalid('a live query cannot be part of a transaction', { hint: 'call it on a collection of the database' })
  return (request, follower) => channel.live!(request, follower)
}

/** Each result, as soon as it is wanted. */
export async function* results<R>(start: Start, request: Request, signal: AbortSignal | undefined): AsyncGenerator<LiveResult<R>, void, undefined> {
  if (signal?.aborted === true) return
  let current: Live | undefined
  let isOver = false
  let failure: HyphaError | undefined
  let wake: () => void = () => undefined
  const stop = start(request, {
    changed: (live) => { current = live; wake() },
    ended: (reason) => { [isOver, failure] = [true, reason]; wake() },
  })
  const abort = (): void => { isOver = true; wake() }
  signal?.addEventListener('abort', abort)
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => { wake = resolve })
      if (failure !== undefined) throw failure
      if (isOver) return
      const result = current?.take()
      current = undefined
      if (result === undefined) await woken
      else yield result
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    stop()
  }
}

/** Tells `listener` of each result; answers how to stop that. */
export function subscribe<R>(start: Start, request: Request, listener: ((result: LiveResult<R>) => void) | LiveObserver<LiveResult<R>>): () => void {
  const observer = readObserver(listener)
  let isOver = false
  const stop = start(request, {
    changed: (live) => {
      const result = isOver ? undefined : live.take()
      if (result !== undefined) tell(() => observer.next?.(result))
    },
    ended: (reason) => {
      if (isOver || reason === undefined) return
      if (observer.error === undefined) report(reason)
      else tell(() => observer.error!(reason))
    },
  })
  return () => {
    isOver = true
    stop()
  }
}

/** A function, or an observer. */
export function readObserver<T>(given: ((value: T) => void) | LiveObserver<T>): LiveObserver<T> {
  if (typeof given === 'function') return { next: given }
  if (given === null || typeof given !== 'object') throw invalid(`listener is ${describe(given)}, not a function`, { hint: 'pass a function, or `{ next, error }`' })
  return given
}

/** Calls something of the user's. */
export function tell(call: () => void): void {
  try {
    call()
  } catch (thrown) {
    report(thrown)
  }
}
