// Dexie: relaxed transactions, its bulk methods.
import { Dexie } from 'dexie'

class Store {
  #table

  constructor(table) {
    this.#table = table
  }

  insertMany(documents) {
    return this.#table.bulkAdd(documents)
  }

  insert(document) {
    return this.#table.add(document)
  }

  get(id) {
    return this.#table.get(id)
  }

  getMany(ids) {
    return this.#table.bulkGet(ids)
  }

  async newest(field, value, limit) {
    if (field === 'agent') {
      return (await this.#table.where('agent').equals(value).reverse().sortBy('ts')).slice(0, limit)
    }
    return this.#table.where('[site+ts]').between([value, Dexie.minKey], [value, Dexie.maxKey]).reverse().limit(limit).toArray()
  }

  range(from, to) {
    return this.#table.where('ts').between(from, to).toArray()
  }

  update(patches) {
    return this.#table.bulkUpdate(patches.map(({ id, value }) => ({ key: id, changes: { value } })))
  }

  remove(ids) {
    return this.#table.bulkDelete(ids)
  }

  count() {
    return this.#table.count()
  }
}

export async function open() {
  const db = new Dexie('bench', { chromeTransactionDurability: 'relaxed' })
  db.version(1).stores({ readings: 'id, agent, ts, [site+ts]' })
  await db.open()
  return new Store(db.table('readings'))
}
