// RxDB on its free Dexie storage; answers as plain objects.
import { createRxDatabase } from 'rxdb/plugins/core'
import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie'

const text = maxLength => ({ type: 'string', maxLength })
const SCHEMA = {
  version: 0,
  primaryKey: 'id',
  type: 'object',
  properties: {
    id: text(24),
    ts: { type: 'number', minimum: 0, maximum: 4_000_000_000_000, multipleOf: 1 },
    agent: text(9),
    site: text(7),
    kind: { type: 'string' },
    status: { type: 'string' },
    value: { type: 'number' },
    unit: { type: 'string' },
    tags: { type: 'array', items: { type: 'string' } },
    note: { type: 'string' },
  },
  required: ['id', 'ts', 'agent', 'site', 'kind', 'status', 'value', 'unit', 'tags', 'note'],
  indexes: ['agent', 'ts', ['site', 'ts']],
}

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

  async get(id) {
    return (await this.#readings.findOne(id).exec())?.toJSON()
  }

  async getMany(ids) {
    const found = await this.#readings.findByIds(ids).exec()
    return ids.map(id => found.get(id)?.toJSON())
  }

  async newest(field, value, limit) {
    return plain(await this.#readings.find({ selector: { [field]: value }, sort: [{ ts: 'desc' }], limit }).exec())
  }

  async range(from, to) {
    return plain(await this.#readings.find({ selector: { ts: { $gte: from, $lt: to } }, sort: [{ ts: 'asc' }] }).exec())
  }

  /** RxDB writes patches that come together as one batch. */
  async update(patches) {
    const found = await this.#readings.findByIds(patches.map(({ id }) => id)).exec()
    await Promise.all(patches.map(({ id, value }) => found.get(id).incrementalPatch({ value })))
  }

  remove(ids) {
    return this.#readings.bulkRemove(ids)
  }

  count() {
    return this.#readings.count().exec()
  }
}

export async function open() {
  const db = await createRxDatabase({ name: 'bench', storage: getRxStorageDexie(), multiInstance: false, eventReduce: true })
  const { readings } = await db.addCollections({ readings: { schema: SCHEMA } })
  return new Store(readings)
}
