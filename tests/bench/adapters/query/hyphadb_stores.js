// HyphaDB by its public API, wherever its engine runs. Shared by `hyphadb.js` and `hyphadb_worker.js`; not an adapter.
import { open } from 'hyphadb'

class NotThere extends Error {
  name = 'NotThere'
}

const GROUP = { n: { $sum: 1 }, mean: { $avg: '$value' }, most: { $max: '$value' } }
const HOUR = { $dateTrunc: { date: { $toDate: '$ts' }, unit: 'hour' } }
const TEXT_INDEX = { fields: ['title'], type: 'text' }
const BEST_FIRST = { score: { $meta: 'textScore' } }

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

  count() {
    return this.#readings.countDocuments()
  }

  filter(from, to) {
    return this.#readings.find({ value: { $gte: from, $lt: to } }).toArray()
  }

  bySite() {
    return this.#readings.aggregate([{ $group: { _id: '$site', ...GROUP } }]).toArray()
  }

  byHour() {
    return this.#readings.aggregate([{ $group: { _id: HOUR, ...GROUP } }]).toArray()
  }

  columns(fields) {
    return this.#readings.find().columns(fields)
  }

  /** Resolves with the first result; each further one is told. */
  follow(agent, limit, told) {
    return new Promise((resolve, reject) => {
      this.#readings.find({ agent }).sort({ ts: -1 }).limit(limit).subscribe({
        next({ docs }) {
          resolve()
          told(docs)
        },
        error: reject,
      })
    })
  }

  search(words, limit) {
    return this.#best(words.join(' '), limit)
  }

  prefix(letters, limit) {
    return this.#best(`${letters}*`, limit)
  }

  #best(search, limit) {
    return this.#readings.find({ $text: { $search: search } }).sort(BEST_FIRST).limit(limit).toArray()
  }
}

/** What opens the databases of each workload, with these options. */
export function storesOf(options) {
  const openStore = async (name, collection) => {
    const db = await open({ name, collections: { readings: { key: 'id', ...collection } }, ...options })
    return new Store(db.collection('readings'))
  }
  return {
    open: () => openStore('bench', {}),
    openLive: name => openStore(name, { indexes: [['agent', 'ts']] }),
    openSchema: (name, schema) => openStore(name, schema ? { schema } : {}),
    /** A version without text indexes refuses the kind. */
    openText: () =>
      openStore('text', { indexes: [TEXT_INDEX] }).catch(error => {
        if (/type|text/.test(error.message)) throw new NotThere(`this build has no text index: ${error.message}`)
        throw error
      }),
  }
}
