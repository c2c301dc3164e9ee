// Where a database is kept, as the caller says it.
//
// Not a storage: the engine has those (`src/storage/`).
// Invariant: only what was made here is taken for a storage.

import type { StorageChoice } from './types.js'

const made = new WeakSet<object>()

/**
 * Keeps the database in memory, for as long as it is open. For tests, and for runtimes without IndexedDB.
 *
 * A database is known by its name, as with IndexedDB: opening the same name again while it is open shares it.
 */
export function memory(): StorageChoice {
  const choice: StorageChoice = Object.freeze({ kind: 'memory' })
  made.add(choice)
  return choice
}

/** Whether this came from `memory()`. */
export function isStorage(value: unknown): value is StorageChoice {
  return typeof value === 'object' && value !== null && made.has(value)
}
