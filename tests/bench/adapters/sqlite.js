// SQLite on OPFS: the page's side. The engine is in `sqlite_worker.js`.
import { SqliteStore } from './sqlite_store.js'

class Store extends SqliteStore {
  async get(id) {
    return (await this.getMany([id]))[0]
  }

  async getMany(ids) {
    const found = JSON.parse(await this.ask('get', JSON.stringify(ids)))
    return found.map(document => document ?? undefined)
  }

  async newest(field, value, limit) {
    return JSON.parse(await this.ask('newest', field, value, limit))
  }

  async range(from, to) {
    return JSON.parse(await this.ask('range', from, to))
  }

  update(patches) {
    return this.ask('update', JSON.stringify(patches))
  }

  remove(ids) {
    return this.ask('remove', JSON.stringify(ids))
  }

  count() {
    return this.ask('count')
  }
}

export async function open() {
  const store = new Store(new Worker(new URL('./sqlite_worker.js', import.meta.url), { type: 'module' }))
  await store.ask('open')
  return store
}
