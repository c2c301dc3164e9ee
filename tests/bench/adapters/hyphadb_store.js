// HyphaDB by its public API, wherever its engine runs. Shared by `hyphadb.js` and `hyphadb_worker.js`; not an adapter.
import { open as openDatabase } from 'hyphadb'

const COLLECTIONS = { readings: { key: 'id', indexes: ['agent', 'ts', ['site', 'ts']] } }

class Store {
  #readings

  constructor(readings) {
    this.#readings = readings
  }

  insertMany(documents) {
    return this.#readings.insertMany(documents)
  }

  insert(document) {
    return this.#readings.insertOne(document)
  }

  get(id) {
    return this.#readings.get(id)
  }

  getMany(ids) {
    return this.#readings.bulkGet(ids)
  }

  newest(field, value, limit) {
    return this.#readings.find({ [field]: value }).sort({ ts: -1 }).limit(limit).toArray()
  }

  range(from, to) {
    return this.#readings.find({ ts: { $gte: from, $lt: to } }).sort({ ts: 1 }).toArray()
  }

  /** The documents that follow a key, in the order of keys. */
  after(id, limit) {
    return this.#readings.find({ id: { $gt: id } }).sort({ id: 1 }).limit(limit).toArray()
  }

  /** Each document gets a value of its own, so it is an operation for each; one commit. */
  update(patches) {
    return this.#readings.bulkWrite(patches.map(({ id, value }) => ({ updateOne: { filter: { id }, update: { $set: { value } } } })))
  }

  remove(ids) {
    return this.#readings.bulkDelete(ids)
  }

  count() {
    return this.#readings.countDocuments()
  }
}

export async function openStore(options) {
  const db = await openDatabase({ name: 'bench', collections: COLLECTIONS, ...options })
  return new Store(db.collection('readings'))
}
