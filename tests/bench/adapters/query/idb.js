// IndexedDB by hand: everything is fetched at once, then looped over. No live queries, no schemas, no text.
import { columnsOf, groupsOf, hourOf, siteOf } from './groups.js'

const NAME = 'bench'
const STORE = 'readings'

export const without = { Q5: 'IndexedDB tells nobody of changes', Q6: 'IndexedDB has no schemas', Q7: 'IndexedDB has no text index' }

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

class Raw {
  #db

  constructor(db) {
    this.#db = db
  }

  insertMany(documents) {
    const transaction = this.#db.transaction(STORE, 'readwrite', { durability: 'relaxed' })
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error)
      const store = transaction.objectStore(STORE)
      for (const document of documents) store.add(document)
      transaction.commit()
    })
  }

  #all() {
    return done(this.#db.transaction(STORE).objectStore(STORE).getAll())
  }

  async filter(from, to) {
    return (await this.#all()).filter(({ value }) => value >= from && value < to)
  }

  async bySite() {
    return groupsOf(await this.#all(), siteOf)
  }

  async byHour() {
    return groupsOf(await this.#all(), hourOf)
  }

  async columns(fields) {
    return columnsOf(await this.#all(), fields)
  }
}

export async function open() {
  const request = indexedDB.open(NAME, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' })
  return new Raw(await done(request))
}
