// What a page and the worker that has its engine say to each other.
//
// Not the meaning of requests: they are bytes here, as at the boundary of the wasm.
// Invariants: one message for a call and one for its answer; bytes are handed over, never copied, and only by who owns all of
// their buffer; messages are worked off in the order in which they were sent.

/** A call: its number (0: nobody waits for an answer), what it is, the transaction it is of (0: none), its argument. */
export type Call = [number: number, verb: Verb, transaction: number, argument?: unknown]
export type Verb = 'open' | 'request' | 'begin' | 'commit' | 'rollback' | 'watch' | 'unwatch' | 'catch_up' | 'maintain' | 'database' | 'durable_seq' | 'close'
/** An answer, or the error in its place; or, of number 0, an event. */
export type Answer = [number: number, answer: unknown, error?: unknown] | [0, Event, argument?: unknown]
/** `ready`: the worker lives, and holds its lock. `died`: the engine trapped. The others are the engine's. */
export type Event = 'ready' | 'died' | 'commit' | 'change' | 'live' | 'connection'

/** The first message to a worker. */
export interface Start {
  /** A worker may have other messages too. */
  readonly hyphadb: 'start'
  readonly module: WebAssembly.Module
  /** The name of the lock that the worker holds as long as it lives. */
  readonly lock: string
}

/** The buffers to hand over with a message that ends with `value`. */
export function owned(value: unknown): ArrayBuffer[] {
  // A part of a larger buffer is copied: the rest is somebody else's.
  return value instanceof Uint8Array && value.byteLength === value.buffer.byteLength ? [value.buffer as ArrayBuffer] : []
}
