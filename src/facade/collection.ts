// A collection: its documents, its indexes, its figures.
//
// Not for transactions: indexes are made outside of them.
// Invariant: an index whose making was given up is not left behind.

import { COLLECTION, readIndex, readMigration } from './config.js'
import { Documents } from './documents.js'
import { HyphaError, invalid, quote } from './errors.js'
import { tryAll } from './migration.js'
import { CALL, FUNCTION, checkOptions, type OptionTable } from './options.js'
import { Patience } from './patience.js'
import { readSchema } from './standard.js'
import type { CallOptions, CollectionConfig, CreateIndexOptions, Document, IndexInfo, IndexInput, IndexProgress, MigrationReport, Stats } from './types.js'

/** How often the progress of an index is looked at. */
const PROGRESS_MS = 20
const { version, migrate, schema, validation } = COLLECTION as Required<typeof COLLECTION>
const MIGRATION = { version, migrate, schema, validation } as OptionTable
const CREATE_INDEX: OptionTable = { ...CALL, onProgress: FUNCTION }

export class Collection<T extends object = Document, Input extends object = T> extends Documents<T, Input> {
  /** Makes an index, of the documents that are there too; answers with its name when it is ready. */
  async createIndex(spec: IndexInput<T>, options?: CreateIndexOptions): Promise<string> {
    checkOptions(options, CREATE_INDEX, 'createIndex')
    const patience = Patience.from(options)
    patience?.check()
    const index = readIndex(spec, `collection ${quote(this.name)}`)
    const name = index.name ?? [...index.fields, ...(index.type === 'text' ? ['text'] : [])].join('_')
    const building = this.#ask({ op: 'create_index', spec: { ...index, name } })
    try {
      await this.#watch(building, name, options?.onProgress, patience)
    } catch (thrown) {
      if (thrown instanceof HyphaError && thrown.code !== 'cancelled') throw thrown
      if (await this.#isTakenBack(building, name)) throw thrown
    }
    return name
  }

  /** Removes an index. */
  async dropIndex(name: string, options?: CallOptions): Promise<void> {
    checkOptions(options, CALL, 'dropIndex')
    Patience.from(options)?.check()
    await this.#ask({ op: 'drop_index', name })
  }

  async indexes(options?: CallOptions): Promise<IndexInfo[]> {
    checkOptions(options, CALL, 'indexes')
    return ((await this.#ask({ op: 'indexes' }, options)) as { indexes: IndexInfo[] }).indexes
  }

  /**
   * What a migration would do to the documents that are there, without doing it: for a program that still runs the older
   * version, or a test. The database is opened with the older configuration, this is given the newer one.
   */
  async tryMigration(newer: Pick<CollectionConfig<any>, 'version' | 'migrate' | 'schema' | 'validation'>, options?: CallOptions): Promise<MigrationReport> {
    checkOptions(options, CALL, 'tryMigration')
    checkOptions(newer, MIGRATION, 'tryMigration')
    const patience = Patience.from(options)
    const where = `collection ${quote(this.name)}`
    const migration = readMigration(newer.version, newer.migrate, readSchema(newer.schema, newer.validation, where), where)
    if (migration === undefined) throw invalid('tryMigration needs a `version` from 2', { hint: 'e.g. `tryMigration({ version: 2, migrate: { 2: (doc) => doc } })`' })
    const trial = tryAll((request) => this.channel.ask(request, options), this.name, migration)
    return patience === undefined ? trial : patience.race(trial)
  }

  /** Figures about the collection. */
  async stats(options?: CallOptions): Promise<Stats> {
    checkOptions(options, CALL, 'stats')
    return (await this.#ask({ op: 'stats' }, options)) as Stats
  }

  /** Looks how far the building is, until it has ended. */
  async #watch(building: Promise<unknown>, name: string, onProgress: CreateIndexOptions['onProgress'], patience: Patience | undefined): Promise<void> {
    let total = 0
    const ended = building.then(() => true)
    while (!(await Promise.race([ended, pause(PROGRESS_MS)]))) {
      patience?.check()
      const progress = (await this.#ask({ op: 'index_progress', name })) as IndexProgress
      // Zeros mean that it has not begun, or has just ended.
      if (progress.total === 0) continue
      total = progress.total
      onProgress?.(progress)
    }
    onProgress?.({ done: total, total })
  }

  /** Drops an index that is still being built, and tells whether it was: one that got ready meanwhile stays. */
  async #isTakenBack(building: Promise<unknown>, name: string): Promise<boolean> {
    const { indexes } = (await this.#ask({ op: 'indexes' })) as { indexes: IndexInfo[] }
    const isBuilding = indexes.some((index) => index.name === name && index.state === 'building')
    if (isBuilding) await this.#ask({ op: 'drop_index', name })
    return building.then(() => false, () => true)
  }

  #ask(request: object, options?: CallOptions): Promise<unknown> {
    return this.channel.ask({ ...request, collection: this.name }, options)
  }
}

function pause(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, ms, false))
}
