// Who wants to know what is read, while it is being read.
//
// Not a log: nothing is kept where nobody asks.
// Invariant: what is read between `watchReads` and its end is noted, whoever reads it: who asks learns of too much, never of
// too little.

import type { Request } from './codec.js'
import type { Events } from './types.js'

/** Where changes of what was read are told. */
export interface Read {
  on(event: 'change', listener: (change: Events['change']) => void): () => void
}

/** Takes note: of a collection, or of anything in the database. */
export type Note = (from: Read, collection: string | undefined) => void

/** Requests that read one collection, and say which. */
const OF_ONE: ReadonlySet<unknown> = new Set(['get', 'find', 'count', 'distinct', 'explain', 'cursor_open', 'cursor_next'])
const watching = new Set<Note>()

/** Has `note` called for each read from now on; answers how to end that. */
export function watchReads(note: Note): () => void {
  watching.add(note)
  return () => void watching.delete(note)
}

/** Something is about to be read. */
export function noteRead(from: Read, request: Request): void {
  if (watching.size === 0) return
  // A pipeline may read other collections too.
  const { op, collection, pipeline } = request
  for (const note of watching) note(from, OF_ONE.has(op) && pipeline === undefined ? String(collection) : undefined)
}
