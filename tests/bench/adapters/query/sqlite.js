// SQLite on OPFS: the page's side. The engine is in `sqlite_worker.js`, where OPFS may be written synchronously.
//
// Documents cross as one string of JSON for each call, which is cheaper than cloned objects; columns as typed arrays.

export const without = { Q5: 'SQLite has no live queries', Q6: 'SQLite has no JSON Schema' }

class Store {
  #worker
  #waiting = new Map()
  #last = 0

  constructor(worker) {
    this.#worker = worker
    worker.onmessage = ({ data: { number, answer, error } }) => {
      const { resolve, reject } = this.#waiting.get(number)
      this.#waiting.delete(number)
      if (error === undefined) resolve(answer)
      else reject(new Error(error))
    }
    worker.onerror = event => {
      for (const { reject } of this.#waiting.values()) reject(new Error(event.message ?? 'the worker failed'))
    }
  }

  ask(method, ...given) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(++this.#last, { resolve, reject })
      this.#worker.postMessage({ number: this.#last, method, given })
    })
  }

  insertMany(documents) {
    return this.ask('insert', JSON.stringify(documents))
  }

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
  const worker = new Worker(new URL('./sqlite_worker.js', import.meta.url), { type: 'module' })
  // So that the files are free at once for the page that comes next.
  addEventListener('pagehide', () => worker.terminate())
  const store = new Store(worker)
  await store.ask('open', name)
  return store
}

export const open = () => start('bench')
export const openText = async () => new Titles(await start('text'))
