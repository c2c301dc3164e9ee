// SQLite on OPFS: the page's side. The engine is in `sqlite_worker.js`; columns cross as typed arrays.
import { SqliteStore } from '../sqlite_store.js'

export const without = { Q5: 'SQLite has no live queries', Q6: 'SQLite has no JSON Schema' }

class Store extends SqliteStore {
  async filter(from, to) {
    return JSON.parse(await this.ask('filter', from, to))
  }

  bySite() {
    return this.ask('groups', 'sites')
  }

  byHour() {
    return this.ask('groups', 'hours')
  }

  columns(fields) {
    return this.ask('columns', fields)
  }
}

class Titles {
  #store

  constructor(store) {
    this.#store = store
  }

  insertMany(documents) {
    return this.#store.ask('insertTitles', JSON.stringify(documents))
  }

  async search(words, limit) {
    return JSON.parse(await this.#store.ask('search', words.map(word => `"${word}"`).join(' OR '), limit))
  }

  async prefix(letters, limit) {
    return JSON.parse(await this.#store.ask('search', `"${letters}"*`, limit))
  }
}

async function start(name) {
  const store = new Store(new Worker(new URL('./sqlite_worker.js', import.meta.url), { type: 'module' }))
  await store.ask('open', name)
  return store
}

export const open = () => start('bench')
export const openText = async () => new Titles(await start('text'))
