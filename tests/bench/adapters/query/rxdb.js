// RxDB on its free Dexie storage: mango selectors; groups in JavaScript; queries that can be subscribed to.
import { createRxDatabase } from 'rxdb/plugins/core'
import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie'
import { wrappedValidateAjvStorage } from 'rxdb/plugins/validate-ajv'
import { columnsOf, groupsOf, hourOf, siteOf } from './groups.js'

const text = maxLength => ({ type: 'string', maxLength })
const FIELDS = {
  id: text(24),
  ts: { type: 'number', minimum: 0, maximum: 4_000_000_000_000, multipleOf: 1 },
  agent: text(11),
  site: text(7),
  kind: { type: 'string' },
  status: { type: 'string' },
  value: { type: 'number' },
  unit: { type: 'string' },
  tags: { type: 'array', items: { type: 'string' } },
  note: { type: 'string' },
  volts: { type: 'number' },
}
const SCHEMA = { version: 0, primaryKey: 'id', type: 'object', properties: FIELDS, required: ['id', 'ts', 'agent', 'site', 'value'] }

export const without = { Q7: 'RxDB has no full-text search among what is free' }

const plain = documents => documents.map(document => document.toJSON())

class Store {
  #readings

  constructor(readings) {
    this.#readings = readings
  }

  async insertMany(documents) {
    const { error } = await this.#readings.bulkInsert(documents)
    if (error.length) throw new Error(`${error.length} of ${documents.length} were not inserted`)
  }

  insert(document) {
    return this.#readings.insert(document)
  }

  count() {
    return this.#readings.count().exec()
  }

  async filter(from, to) {
    return plain(await this.#readings.find({ selector: { value: { $gte: from, $lt: to } } }).exec())
  }

  async bySite() {
    return groupsOf(await this.#readings.find().exec(), siteOf)
  }

  async byHour() {
    return groupsOf(await this.#readings.find().exec(), hourOf)
  }

  async columns(fields) {
    return columnsOf(await this.#readings.find().exec(), fields)
  }

  /** Resolves with the first result; each further one is told. */
  follow(agent, limit, told) {
    return new Promise((resolve, reject) => {
      this.#readings.find({ selector: { agent }, sort: [{ ts: 'desc' }], limit }).$.subscribe({
        next(found) {
          resolve()
          told(plain(found))
        },
        error: reject,
      })
    })
  }
}

async function openStore(name, schema, storage = getRxStorageDexie()) {
  const db = await createRxDatabase({ name, storage, multiInstance: false, eventReduce: true })
  const { readings } = await db.addCollections({ readings: { schema } })
  return new Store(readings)
}

export const open = () => openStore('bench', SCHEMA)
export const openLive = name => openStore(name, { ...SCHEMA, indexes: [['agent', 'ts']] })

/** Schemas are held by a storage around the storage. */
export function openSchema(name, schema) {
  if (!schema) return openStore(name, SCHEMA)
  return openStore(name, { version: 0, primaryKey: 'id', ...schema }, wrappedValidateAjvStorage({ storage: getRxStorageDexie() }))
}
