// Types of results that are followed: live queries and observables.
//
// Not code: nothing of this file is left after compiling.
// Invariant: what a program is handed is for reading; the next result may share objects with it.

/** A result that is followed. */
export interface LiveResult<R> {
  /** The documents now. One that did not change is the same object as in the result before. */
  docs: readonly R[]
  changes: LiveChanges<R>
  /** The newest commit that the result has. */
  seq: number
}

/** What is other than in the result before; of the first, everything is added. */
export interface LiveChanges<R> {
  added: readonly R[]
  /** As they are now. */
  updated: readonly R[]
  /** As they were. */
  removed: readonly R[]
  /** What stands elsewhere among those that stayed; as a rule it was updated too. */
  moved: readonly R[]
}

/** What can be followed: a cursor, or a pipeline. */
export interface Followable<R> {
  live(options?: LiveOptions): AsyncIterable<LiveResult<R>>
}

export interface LiveOptions {
  /** Ends it. */
  signal?: AbortSignal | undefined
}

/** Who is told of values. */
export interface LiveObserver<T> {
  next?: ((value: T) => void) | undefined
  /** Without this, errors are reported as uncaught. */
  error?: ((error: unknown) => void) | undefined
}

export interface Subscription {
  unsubscribe(): void
  readonly closed: boolean
}

/** An observable, as `liveQuery` makes it. */
export interface LiveQuery<T> {
  subscribe(observer: ((value: T) => void) | LiveObserver<T>, error?: (error: unknown) => void): Subscription
}
