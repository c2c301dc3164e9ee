// What the generated glue (`engine.js`) offers, in our words.
//
// Not generated: the generator's own types say `any` where it matters. `src/bindings.rs` is the other side.
// Where the engine is in a worker, `remote.ts` offers the same, and what is a value here is the promise of one there.
// Invariant: nothing but `glue.ts`, `load.ts`, `instance.ts`, `connection.ts`, `transaction.ts` and the two sides of a worker
// (`remote.ts`, `server.ts`) knows these.

import type { HyphaError } from './errors.js'
import type { ReadAhead } from './head_start.js'

/** An answer: its bytes, or what was read of them. */
export type Reply = Uint8Array | Read

/** An answer that was read in the engine's memory, or why it could not be. */
export class Read {
  constructor(readonly value: unknown, readonly thrown?: HyphaError) {}
}

/** An opened database, inside the wasm or in a worker. Its errors are plain objects: `fromEngine` makes them ours. */
export interface Engine {
  /** Answers at once when nothing has to be read from storage. */
  request(request: Uint8Array): Reply | Promise<Reply>
  /** Has long answers read where they lie, in the engine's memory; not there where that is another thread's. */
  read_with?(reader: { read(answer: Uint8Array): Read }): void
  /** A transaction on the state of now. */
  begin(): EngineTransaction
  /** Looks for commits of other contexts; true: something new. */
  catch_up(): Promise<boolean>
  /** One piece of background work; true: more is left. `is_alone`: no other context has the database open. */
  maintain(is_alone: boolean): Promise<boolean>
  /** The database's identity, in hexadecimal. */
  database(): string | Promise<string>
  /** The newest commit that is known to survive power loss. */
  durable_seq(): number | Promise<number>
  /** Has the browser put its own log away, where it does not mend it by itself after a kill. */
  on_commit(callback: () => void): void
  /** Without a callback, changes are not even encoded. */
  on_change(callback: ((change: Uint8Array) => void) | undefined): void
  /** Told, after a commit, what it makes of live queries. */
  on_live(callback: (message: Uint8Array) => void): void
  on_connection(callback: (event: string) => void): void
  close(): Promise<void>
  free(): void
}

export interface EngineTransaction {
  request(request: Uint8Array): Uint8Array | Promise<Uint8Array>
  commit(durability: string): Uint8Array | Promise<Uint8Array>
  rollback(): void
  free(): void
}

/** The module `engine.js`. */
export interface Glue {
  Engine: { open(config: Uint8Array, readAhead?: ReadAhead): Promise<Engine> }
  delete_database(name: string): Promise<void>
  /** Told of a panic before the instance traps. */
  on_panic(callback: (message: string) => void): void
  /** A fresh instance in place of one that trapped. */
  __wbg_reset_state(): void
}
