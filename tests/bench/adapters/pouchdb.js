// PouchDB on its `indexeddb` adapter, with Mango indexes.
import PouchDB from 'pouchdb-core'
import indexeddb from 'pouchdb-adapter-indexeddb'
import find from 'pouchdb-find'

const INDEXES = [['agent'], ['ts'], ['site', 'ts']]
/** More than any query here finds; without it `find` ends at 25. */
const ALL = 1_000_000

PouchDB.plugin(indexeddb).plugin(find)

const toRecord = ({ id, ...fields }) => ({ _id: id, ...fields })
const toDocument = ({ _id, _rev, ...fields }) => ({ id: _id, ...fields })

class Store {
  #db

  constructor(db) {
    this.#db = db
  }

  async #write(records) {
    const failed = (await this.#db.bulkDocs(records)).filter(result => result.error)
    if (failed.length) throw new Error(`${failed.length} of ${records.length} were not written`)
  }

  insertMany(documents) {
    return this.#write(documents.map(toRecord))
  }

  insert(document) {
    return this.#db.put(toRecord(document))
  }

  async get(id) {
    return toDocument(await this.#db.get(id))
  }

  async #rows(ids) {
    return (await this.#db.allDocs({ keys: ids, include_docs: true })).rows
  }

  async getMany(ids) {
    return (await this.#rows(ids)).map(({ doc }) => (doc ? toDocument(doc) : undefined))
  }

  async #find(query) {
    return (await this.#db.find(query)).docs.map(toDocument)
  }

  /** Mango sorts by an index only: what the index on `agent` finds is sorted here. */
  async newest(field, value, limit) {
    if (field === 'agent') {
      const found = await this.#find({ selector: { agent: value }, limit: ALL })
      return found.sort((a, b) => b.ts - a.ts).slice(0, limit)
    }
    return this.#find({ selector: { site: value, ts: { $gt: 0 } }, sort: [{ site: 'desc' }, { ts: 'desc' }], limit })
  }

  range(from, to) {
    return this.#find({ selector: { ts: { $gte: from, $lt: to } }, sort: [{ ts: 'asc' }], limit: ALL })
  }

  async update(patches) {
    const rows = await this.#rows(patches.map(({ id }) => id))
    await this.#write(rows.map(({ doc }, number) => ({ ...doc, value: patches[number].value })))
  }

  async remove(ids) {
    const { rows } = await this.#db.allDocs({ keys: ids })
    await this.#write(rows.map(({ id, value }) => ({ _id: id, _rev: value.rev, _deleted: true })))
  }

  /** Without the documents that describe the indexes. */
  async count() {
    return (await this.#db.info()).doc_count - INDEXES.length
  }
}

export async function open() {
  const db = new PouchDB('bench', { adapter: 'indexeddb' })
  for (const fields of INDEXES) await db.createIndex({ index: { fields, ddoc: fields.join('-') } })
  return new Store(db)
}
