// A fresh log for Chromium: the log that it has found at its start is put away.
//
// Chromium keeps IndexedDB in LevelDB. Killed in a write it leaves the log with a torn end; its next start reads the log, and
// goes on writing behind the torn end, by itself too; the start after that finds the log corrupt, and drops every database of
// the origin. Deleting a database has it compact, and to compact is to put the log into a table and begin another: so a scratch
// database is made and deleted at each opening. Who is killed sooner than that after a kill in a write has lost.
// Not a repair: what is torn was never acknowledged. Nothing waits for it, and it never fails.

import { answer } from './idb_request.js'
import { countPresent } from './presence.js'

/** Compacting begins with the deletion's `success` event; when the second scratch database is gone, the first log is. */
const TIMES = 2

/** Settles when what was written before is put away. `name`: the database that is being opened. */
export async function freshLog(name: string): Promise<void> {
  if (typeof IDBVersionChangeEvent === 'undefined' || !('dataLoss' in IDBVersionChangeEvent.prototype)) return
  // Whoever has it open has seen to it. Where nobody knows, once more does no harm.
  const others = await countPresent(name).catch(() => Number.POSITIVE_INFINITY)
  if (others !== 0 && others !== Number.POSITIVE_INFINITY) return
  await compact(`${name} (fresh log)`).catch(() => undefined)
}

async function compact(scratch: string): Promise<void> {
  for (let time = 0; time < TIMES; time++) {
    const made = await answer(indexedDB.open(scratch))
    made.close()
    await answer(indexedDB.deleteDatabase(scratch))
  }
}
