// Which databases this context has open: one connection for each name, shared by its handles.
//
// Not a cache: the last handle that is closed closes the connection.
// Invariants: a name is open with one configuration at a time; an opening that fails leaves nothing behind; a name is
// opened again only after its closing has ended.

import { Connection } from './connection.js'
import type { Config } from './config.js'
import { fromEngine } from './engine_error.js'
import { invalid, isTrap, quote } from './errors.js'
import { loadInstance, loadModule, type Source } from './load.js'
import { forgetMark } from './mark.js'
import { migrateAll } from './migration.js'
import type { Patience } from './patience.js'
import { Prelude } from './prelude.js'
import { startWorker } from './remote.js'
import type { MigrationProgress } from './types.js'

type OnMigration = ((progress: MigrationProgress) => void) | undefined

interface Entry {
  readonly identity: string
  readonly opening: Promise<Connection>
  handles: number
  closing: Promise<void> | undefined
}

const entries = new Map<string, Entry>()

/** The connection of this name, opened if it is not. To be given back by `release`. */
export async function acquire(source: Source, config: Config, wasm: unknown, onMigration?: OnMigration): Promise<Connection> {
  const { name } = config
  await entries.get(name)?.closing?.catch(() => undefined)
  const entry = entries.get(name) ?? start(source, config, wasm, onMigration)
  if (entry.identity !== config.identity) {
    throw invalid(`database ${quote(name)} is open in this context with another configuration`, {
      hint: 'open it with the same configuration, or close it first',
      details: { name },
    })
  }
  entry.handles++
  return entry.opening
}

/** Gives back a connection; the last one closes it. */
export async function release(connection: Connection): Promise<void> {
  const entry = entries.get(connection.config.name)
  if (entry === undefined || (await entry.opening) !== connection || --entry.handles > 0) return
  entry.closing = connection.close()
  await entry.closing
}

/**
 * Deletes a database with all its data. Handles of this context are closed, others are told. Given up on before the deletion
 * begins, nothing is deleted; after that nobody gives up on it, because it cannot be taken back.
 */
export async function remove(source: Source, name: string, patience: Patience | undefined): Promise<void> {
  const unlessGivenUp = <T>(work: Promise<T>): Promise<T> => (patience === undefined ? work : patience.race(work))
  const entry = entries.get(name)
  if (entry !== undefined && (await unlessGivenUp(end(entry))) === 'memory') return
  if (typeof globalThis.indexedDB === 'undefined') return
  const instance = await unlessGivenUp(loadInstance(source, undefined))
  patience?.check()
  try {
    await instance.untilDeath(instance.glue.delete_database(name))
    await forgetMark(name)
  } catch (thrown) {
    if (isTrap(thrown)) instance.die(thrown)
    throw fromEngine(thrown)
  }
}

/** Closes a connection whoever holds it; answers where it was kept. */
async function end(entry: Entry): Promise<string | undefined> {
  const connection = await entry.opening.catch(() => undefined)
  entry.closing ??= connection?.close()
  await entry.closing
  return connection?.config.storage
}

function start(source: Source, config: Config, wasm: unknown, onMigration: OnMigration): Entry {
  const forget = (): void => {
    if (entries.get(config.name) === entry) entries.delete(config.name)
  }
  // First what takes longest.
  const loading = config.worker === undefined ? loadInstance(source, wasm) : startWorker(config.worker, loadModule(source, wasm))
  const prelude = new Prelude(config)
  const opening = loading.then((instance) => Connection.open(instance, config, prelude, forget), (thrown) => {
    prelude.end()
    throw thrown
  }).then(async (connection) => {
    await migrateAll(connection, onMigration).catch(async (thrown) => {
      await connection.close()
      throw thrown
    })
    return connection
  })
  const entry: Entry = { identity: config.identity, opening, handles: 0, closing: undefined }
  entries.set(config.name, entry)
  opening.catch(forget)
  return entry
}
