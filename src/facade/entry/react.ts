// The entry `hyphadb/react`: live queries in components.
//
// Not part of the other entries: only this one names React, which is the user's own.
import { useMemo, useSyncExternalStore } from 'react'
import { invalid } from '../errors.js'
import { liveQuery } from '../live_query.js'
import { describe } from '../options.js'
import type { Followable, Subscription } from '../types.js'

/** What a component is told of a live query. */
export type LiveState<T> =
  | { readonly status: 'loading'; readonly data: undefined; readonly error: undefined }
  | { readonly status: 'ready'; readonly data: T; readonly error: undefined }
  | { readonly status: 'error'; readonly data: T | undefined; readonly error: unknown }

const LOADING: LiveState<any> = { status: 'loading', data: undefined, error: undefined }

/**
 * The newest value of a query, as `liveQuery` has it; rendered anew when it changes. The query is made again when one of
 * `deps` is another. On a server, and while a page made there is taken over, it is `loading`.
 */
export function useLiveQuery<T>(query: () => Followable<T>, deps?: readonly unknown[]): LiveState<readonly T[]>
export function useLiveQuery<T>(query: () => T | Promise<T>, deps?: readonly unknown[]): LiveState<T>
export function useLiveQuery(query: () => unknown, deps: readonly unknown[] = []): LiveState<any> {
  if (typeof query !== 'function') throw invalid(`useLiveQuery takes a function, not ${describe(query)}`, { hint: 'e.g. `useLiveQuery(() => notes.find({ open: true }), [])`' })
  const store = useMemo(() => new Store(query), deps)
  return useSyncExternalStore(store.subscribe, store.state, serverState)
}

function serverState(): LiveState<any> {
  return LOADING
}

/** A query with its newest state, as long as a component looks at it. */
class Store {
  readonly #query: () => unknown
  readonly #watching = new Set<() => void>()
  #state = LOADING
  #subscription: Subscription | undefined

  constructor(query: () => unknown) {
    this.#query = query
  }

  readonly state = (): LiveState<any> => this.#state

  readonly subscribe = (changed: () => void): (() => void) => {
    this.#watching.add(changed)
    this.#subscription ??= liveQuery(this.#query).subscribe({
      next: (data) => this.#set({ status: 'ready', data, error: undefined }),
      error: (error) => this.#set({ status: 'error', data: this.#state.data, error }),
    })
    return () => {
      this.#watching.delete(changed)
      if (this.#watching.size > 0) return
      this.#subscription?.unsubscribe()
      this.#subscription = undefined
    }
  }

  #set(state: LiveState<any>): void {
    this.#state = state
    for (const changed of this.#watching) changed()
  }
}
