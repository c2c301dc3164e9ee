// SQLite on OPFS: the page's side. The engine is in `sqlite_worker.js`, where OPFS may be written synchronously.
//
// What crosses to the worker and back is one string of JSON for each call: cheaper than cloned objects.

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

  insert(document) {
    return this.ask('insert', JSON.stringify([document]))
  }

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

function start() {
  const worker = new Worker(new URL('./sqlite_worker.js', import.meta.url), { type: 'module' })
  // So that the files are free at once for the page that comes next.
  addEventListener('pagehide', () => worker.terminate())
  return new Store(worker)
}

export async function open() {
  const store = start()
  await store.ask('open')
  return store
}
