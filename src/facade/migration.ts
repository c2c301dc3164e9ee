// Migrations: documents of older versions, brought to the newer one by functions of the program.
//
// Not what makes this sound: that is `src/db/migrate.rs`, which says how it goes and why. The functions are called here, on
// the side of the channel where they were given, also where the engine is in a worker; never inside a call of the engine.
// Invariants: an opening answers only when no document is older than the program; what fails in the trial has changed
// nothing; a migration that broke off is taken up by the next opening; a context that is older than the collection leaves it
// as it is.

import { judge } from './checked.js'
import { encode } from './codec.js'
import type { Connection } from './connection.js'
import { fromEngine } from './engine_error.js'
import { type HyphaError, invalid, quote } from './errors.js'
import { describe } from './options.js'
import { isPlainObject } from './plain.js'
import type { ReadSchema } from './standard.js'
import { runTransaction } from './transaction.js'
import type { Key, Migrate, MigrationFailure, MigrationProgress, MigrationReport, WriteError } from './types.js'

/** Documents that are changed in one transaction. */
const SLICE_COUNT = 512
/** Failures that are told at once. */
const FAILURES_MAX = 100

/** What is configured for one collection. */
export interface Migration {
  readonly version: number
  readonly migrate: Migrate
  readonly schema: ReadSchema | undefined
}

type Ask = (request: Record<string, unknown>) => Promise<unknown>
interface Slice { docs: object[]; versions: number[]; last: Uint8Array | null; lookedAt: number }
interface Stored { name: string; version: number; oldest: number }

/** Brings all collections of a connection that was just opened to the versions that are configured. */
export async function migrateAll(connection: Connection, onProgress: ((progress: MigrationProgress) => void) | undefined): Promise<void> {
  const { migrations } = connection.config
  if (migrations.size === 0) return
  const ask: Ask = (request) => connection.ask(request, undefined)
  const { collections } = (await ask({ op: 'migrations' })) as { collections: Stored[] }
  for (const { name, version: stored, oldest } of collections) {
    const migration = migrations.get(name)
    if (migration === undefined || stored > migration.version || oldest === migration.version) continue
    const { version } = migration
    const told = (step: MigrationProgress['step'], done: number, total?: number): void => onProgress?.({ collection: name, version, step, done, ...(total !== undefined && { total }) })
    const { documents, failed } = await tryAll(ask, name, migration, (done) => told('trial', done))
    if (failed.length > 0) throw cannot(name, version, failed, 'nothing was changed; mend the function or the documents, and open again')
    await ask({ op: 'migration_begin', collection: name, version })
    await rewrite(connection, name, migration, (done) => told('write', done, Math.max(documents, done)))
    await ask({ op: 'migration_end', collection: name, version })
  }
}

/** What a migration would do; nothing is written. */
export async function tryAll(ask: Ask, collection: string, migration: Migration, onProgress?: (done: number) => void): Promise<MigrationReport> {
  const key = await keyOf(ask, collection)
  const report: MigrationReport = { documents: 0, changed: 0, failed: [] }
  const schema = migration.schema !== undefined && 'json' in migration.schema ? migration.schema.json : undefined
  for (let after: Uint8Array | null | undefined; after !== null && report.failed.length < FAILURES_MAX;) {
    const slice: Slice = (await ask({ op: 'migration_read', collection, version: migration.version, max: SLICE_COUNT, after })) as Slice
    const sources: object[] = []
    const documents: object[] = []
    for (const [place, document] of slice.docs.entries()) {
      const before = encode(document)
      try {
        const migrated = await change(document, slice.versions[place]!, collection, migration)
        const now = encode(migrated, 'document')
        if (now.length !== before.length || now.some((byte, at) => byte !== before[at])) report.changed++
        sources.push(document)
        documents.push(migrated)
      } catch (thrown) {
        report.failed.push(failure(key(document), thrown))
      }
    }
    if (documents.length > 0) {
      const { writeErrors } = (await ask({ op: 'migration_write', collection, documents, schema })) as { writeErrors: WriteError[] }
      for (const error of writeErrors) report.failed.push(failure(key(sources[error.index]!), fromEngine(error)))
    }
    report.documents += slice.docs.length
    onProgress?.(report.documents)
    after = slice.last
  }
  report.failed.splice(FAILURES_MAX)
  return report
}

/** Writes what documents become, a slice at a time. */
async function rewrite(connection: Connection, collection: string, migration: Migration, onProgress: (done: number) => void): Promise<void> {
  let done = 0
  for (let after: Uint8Array | null | undefined; after !== null;) {
    const from: Uint8Array | undefined = after
    const slice: Slice = await runTransaction(connection, async ({ channel }) => {
      const read = (await channel.ask({ op: 'migration_read', collection, version: migration.version, max: SLICE_COUNT, after: from }, undefined)) as Slice
      const documents: object[] = []
      for (const [place, document] of read.docs.entries()) documents.push(await change(document, read.versions[place]!, collection, migration))
      if (documents.length === 0) return read
      const { writeErrors } = (await channel.write({ op: 'migration_write', collection, documents }, undefined)) as { writeErrors: WriteError[] }
      const failed = writeErrors.map((error) => failure(undefined, fromEngine(error)))
      if (failed.length > 0) throw cannot(collection, migration.version, failed, 'what was migrated stays so; mend the function or the documents, and open again')
      return read
    }, undefined)
    done += slice.docs.length
    onProgress(done)
    after = slice.last
  }
}

/** What a document of a version becomes. */
async function change(document: object, from: number, collection: string, { version, migrate, schema }: Migration): Promise<object> {
  let changed: unknown = document
  for (let to = from + 1; to <= version; to++) {
    const step = migrate[to]
    if (step === undefined) throw invalid(`there is no migration to version ${to}`, { hint: `add \`migrate: { ${to}: (doc) => doc }\` to the collection` })
    try {
      changed = await step(changed)
    } catch (thrown) {
      throw invalid(`the migration to version ${to} threw: ${quote((thrown as Error | null)?.message ?? thrown)}`, { cause: thrown })
    }
    if (!isPlainObject(changed)) throw invalid(`the migration to version ${to} answered ${describe(changed)}, not a document`, { hint: 'return the document, changed or not' })
  }
  return schema !== undefined && 'called' in schema ? judge(schema.called, changed, collection, {}) : (changed as object)
}

/** How to find the key of a document. */
async function keyOf(ask: Ask, collection: string): Promise<(document: object) => Key> {
  const { collections } = (await ask({ op: 'collections' })) as { collections: { name: string; key: string | string[] }[] }
  const key = collections.find(({ name }) => name === collection)?.key ?? []
  const at = (document: unknown, path: string): unknown => path.split('.').reduce((inner: any, name) => inner?.[name], document)
  return (document) => (Array.isArray(key) ? key.map((path) => at(document, path)) : at(document, key)) as Key
}

function failure(key: Key | undefined, thrown: unknown): MigrationFailure {
  const { code = 'invalid', message, details } = thrown as Partial<HyphaError>
  const violations = details?.['violations'] as MigrationFailure['violations']
  const told = key ?? (details?.['key'] as Key | undefined)
  return { ...(told !== undefined && { key: told }), code, message: String(message), ...(violations !== undefined && { violations }) }
}

function cannot(collection: string, version: number, failed: readonly MigrationFailure[], hint: string): HyphaError {
  const [first] = failed
  const count = failed.length === 1 ? 'a document' : `${failed.length >= FAILURES_MAX ? `${FAILURES_MAX} or more` : failed.length} documents`
  return invalid(`collection ${quote(collection)}: ${count} cannot be brought to version ${version}: ${first?.message ?? ''}`, { hint, details: { collection, version, failed } })
}
