// The configuration of `open`: checked, and in the form that the engine takes.
//
// Not the opening: that is in `registry.ts`.
// Invariants: what is not known or not there yet is refused, never ignored; equal configurations have equal `identity`.

import { HyphaError, invalid, quote } from './errors.js'
import { ANY, BOOLEAN, CALL, COUNT, FUNCTION, NAME, PLAIN, TIME, WORKER, checkOptions, describe, kind, oneOf, type OptionTable } from './options.js'
import { isPlainObject } from './plain.js'
import { ownWorker, type MakeWorker } from './remote.js'
import type { Migration } from './migration.js'
import { readSchema, type ReadSchema } from './standard.js'
import { isStorage } from './storage.js'
import type { Durability, OpenConfig, StandardSchema } from './types.js'

/** Tries of the engine by itself; then contexts that are in each other's way write in turn (`turns.ts`). */
const CONFLICT_RETRIES = 3

const OPEN: OptionTable = {
  ...CALL, name: NAME, collections: PLAIN, storage: ANY, durability: oneOf('relaxed', 'strict'), databases: PLAIN,
  cacheBytes: COUNT, preload: BOOLEAN, alertThresholds: PLAIN, alert_thresholds: PLAIN, onMigration: FUNCTION, acceptLoss: BOOLEAN, thread: ANY, wasm: ANY,
}
const THREADS: OptionTable = { thread: oneOf('inline', 'worker') }
const THREAD: OptionTable = { worker: WORKER }
const THRESHOLDS: OptionTable = { queryTime: TIME, query_time: TIME }
const STORES: OptionTable = { main: NAME, backup: NAME, cache: NAME }
/** Documents have seven bits for it. */
const VERSION_MAX = 128
const VERSION = kind(`a whole number from 1 to ${VERSION_MAX}`, isVersion)
/** Of a collection. */
export const COLLECTION: OptionTable = { key: ANY, indexes: ANY, schema: ANY, validation: oneOf('compiled', 'called'), version: VERSION, migrate: PLAIN }
const INDEX: OptionTable = { name: NAME, fields: ANY, unique: BOOLEAN, sparse: BOOLEAN, type: oneOf('text'), weights: PLAIN }

/** Options of the product that this version does not have. To take them and do nothing would be a lie. */
const NOT_YET: Readonly<Record<string, readonly string[]>> = {
  open: ['id', 'encryption', 'capabilities', 'relationships', 'backupInterval', 'backup_interval', 'cleanupInterval', 'cleanup_interval'],
  collection: ['ttl'],
  alertThresholds: ['storageUsage', 'storage_usage', 'cacheHitRate', 'cache_hit_rate', 'backupAge', 'backup_age'],
}

/** A configuration that was checked. */
export interface Config {
  readonly name: string
  readonly storage: 'indexeddb' | 'memory'
  readonly durability: Durability
  /** A database that was lost or rolled back is opened as it is. */
  readonly acceptLoss: boolean
  /** Makes the worker for the engine; none: it is here. */
  readonly worker: MakeWorker | undefined
  /** Schemas that are called here, by the name of their collection. */
  readonly called: ReadonlyMap<string, StandardSchema>
  /** What is to be migrated, by the name of the collection. */
  readonly migrations: ReadonlyMap<string, Migration>
  /** What the engine's `open` takes. */
  readonly engine: Readonly<Record<string, unknown>>
  /** Equal for configurations that mean the same. */
  readonly identity: string
}

/** An index as the engine takes it. */
export interface EngineIndex {
  name?: string | undefined
  fields: string[]
  unique: boolean
  sparse: boolean
  type?: unknown
  weights?: unknown
}

/** A collection as the engine takes it. */
interface EngineCollection {
  key: string | string[] | undefined
  indexes: EngineIndex[]
  schema: unknown
  version: unknown
}

/** Checks what was given to `open`. */
export function readConfig(given: OpenConfig): Config {
  if (!isPlainObject(given)) throw invalid(`configuration is ${describe(given)}, not an object`, { hint: "call `open({ name: '…', collections: { … } })`" })
  refuseNotYet(given, 'open')
  checkOptions(given, OPEN, 'open')
  if (given.name === undefined) throw invalid('option `name` of open is missing', { hint: "give the database a name: `open({ name: 'app' })`" })
  checkOptions(given.databases, STORES, 'databases')
  const storage = readStorage(given.storage)
  const durability = given.durability ?? 'relaxed'
  const queryTime = readQueryTime(given.alertThresholds ?? given.alert_thresholds)
  const called = new Map<string, StandardSchema>()
  const migrations = new Map<string, Migration>()
  const collections = Object.entries(given.collections ?? {}).map(([name, config]) => [name, readCollection(name, config, called, migrations)])
  const engine = {
    name: given.name, storage, durability, stores: given.databases, collections, cache_bytes: given.cacheBytes, preload: given.preload,
    conflict_retries: CONFLICT_RETRIES, accepts_loss: given.acceptLoss === true, alert_thresholds: { query_time: queryTime },
  }
  const sorted = collections.slice().sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  const { main = 'main', backup = 'backup', cache = 'cache' } = given.databases ?? {}
  const worker = readThread(given.thread)
  const kept = [storage, worker === undefined ? 'inline' : 'worker', durability, [main, backup, cache]]
  const identity = JSON.stringify([...kept, sorted, given.cacheBytes, given.preload ?? true, queryTime, [...called].map(([name, schema]) => [name, numberOf(schema)])])
  return { name: given.name, storage, durability, acceptLoss: given.acceptLoss === true, worker, called, migrations, engine, identity }
}

function readQueryTime(thresholds: { queryTime?: number | undefined; query_time?: number | undefined } = {}): number | undefined {
  refuseNotYet(thresholds, 'alertThresholds')
  checkOptions(thresholds, THRESHOLDS, 'alertThresholds')
  return thresholds.queryTime ?? thresholds.query_time
}

/** A number of its own for each schema that is called: what it says cannot be compared. */
function numberOf(schema: StandardSchema): number {
  const number = numbers.get(schema) ?? ++lastNumber
  numbers.set(schema, number)
  return number
}

const numbers = new WeakMap<StandardSchema, number>()
let lastNumber = 0

function readStorage(storage: unknown): 'indexeddb' | 'memory' {
  if (isStorage(storage)) return storage.kind
  if (storage !== undefined) {
    throw new HyphaError('unsupported', `option \`storage\` of open is ${describe(storage)}, not a storage`, {
      hint: 'pass `storage: memory()`, or leave it out for IndexedDB',
    })
  }
  if (typeof globalThis.indexedDB === 'undefined') {
    throw new HyphaError('unsupported', 'there is no IndexedDB in this runtime', { hint: 'pass `storage: memory()` or a host adapter to `open`' })
  }
  return 'indexeddb'
}

function readThread(thread: unknown): MakeWorker | undefined {
  if (thread === undefined || thread === 'inline') return undefined
  checkOptions(typeof thread === 'string' ? { thread } : thread, typeof thread === 'string' ? THREADS : THREAD, 'thread')
  const worker = typeof thread === 'string' ? undefined : (thread as { worker?: unknown }).worker
  if (typeof worker === 'function') return worker as MakeWorker
  if (typeof globalThis.Worker === 'undefined') {
    throw new HyphaError('unsupported', 'there are no workers in this context', { hint: "leave `thread` out: the engine then runs here" })
  }
  return worker === undefined ? ownWorker : () => new Worker(worker as string | URL, { type: 'module' })
}

function readCollection(name: string, config: unknown, called: Map<string, StandardSchema>, migrations: Map<string, Migration>): EngineCollection {
  const where = `collection ${quote(name)}`
  if (!isPlainObject(config)) throw invalid(`${where} is ${describe(config)}, not an object`, { hint: "e.g. `{ key: 'id', indexes: ['ts'] }`", details: { collection: name } })
  refuseNotYet(config, 'collection')
  checkOptions(config, COLLECTION, where)
  const { key, indexes = [], schema: given, validation, version, migrate } = config
  if (!Array.isArray(indexes)) throw invalid(`indexes of ${where} are ${describe(indexes)}, not an array`, { hint: "e.g. `indexes: ['ts', ['site', 'ts']]`" })
  const schema = readSchema(given, validation, where)
  if (schema !== undefined && 'called' in schema) called.set(name, schema.called)
  const migration = readMigration(version, migrate, schema, where)
  if (migration !== undefined) migrations.set(name, migration)
  const fields = key === undefined ? [] : readFields(key, `key of ${where}`)
  return { key: Array.isArray(key) ? fields : fields[0], indexes: indexes.map((index) => readIndex(index, where)), schema: schema !== undefined && 'json' in schema ? schema.json : undefined, version }
}

/** Checks what there is to migrate; `undefined`: nothing. */
export function readMigration(version: unknown = 1, migrate: unknown, schema: ReadSchema | undefined, where: string): Migration | undefined {
  for (const [to, step] of Object.entries(migrate ?? {})) {
    if (!isVersion(Number(to)) || to === '1' || Number(to) > (version as number)) {
      throw invalid(`migration ${quote(to)} of ${where} is not to a version from 2 to ${quote(version)}`, { hint: 'e.g. `version: 2, migrate: { 2: (doc) => doc }`' })
    }
    if (typeof step !== 'function') throw invalid(`migration ${quote(to)} of ${where} is ${describe(step)}, not a function`)
  }
  return version === 1 ? undefined : { version: version as number, migrate: (migrate ?? {}) as Migration['migrate'], schema }
}

function isVersion(version: unknown): boolean {
  return Number.isSafeInteger(version) && (version as number) >= 1 && (version as number) <= VERSION_MAX
}

/** Checks an index given as a field, as fields, or in full. */
export function readIndex(given: unknown, where: string): EngineIndex {
  const what = `index of ${where}`
  if (!isPlainObject(given)) return { fields: readFields(given, what), unique: false, sparse: false }
  checkOptions(given, INDEX, what)
  if (given.fields === undefined) throw invalid(`${what} has no fields`, { hint: "e.g. `{ fields: ['site', 'ts'], unique: true }`" })
  return {
    name: given.name as string | undefined,
    fields: readFields(given.fields, what),
    unique: given.unique === true,
    sparse: given.sparse === true,
    ...(given.type === undefined ? {} : { type: given.type, weights: given.weights }),
  }
}

function readFields(given: unknown, what: string): string[] {
  const fields: unknown[] = Array.isArray(given) ? given : [given]
  if (fields.length === 0) throw invalid(`${what} names no field`)
  for (const field of fields) {
    if (typeof field !== 'string' || field === '') throw invalid(`${what} is ${describe(field)}, not a field's name`, { hint: "e.g. `'site'` or `['site', 'ts']`" })
  }
  return fields as string[]
}

function refuseNotYet(given: object, where: string): void {
  for (const name of NOT_YET[where]!) {
    if ((given as Record<string, unknown>)[name] !== undefined) throw notYet(name, where)
  }
}

function notYet(option: string, where: string): HyphaError {
  return new HyphaError('unsupported', `option ${quote(option)} of ${where} is not there in this version`, { hint: 'leave it out', details: { option } })
}
