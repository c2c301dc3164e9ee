// SQLite on OPFS: what the page's side of each set of workloads has in common. Not an adapter.
//
// The engine is in a worker, where OPFS may be written synchronously. Documents cross as one string of JSON for each call,
// which is cheaper than cloned objects.

export class SqliteStore {
  #worker
  #waiting = new Map()
  #last = 0

  constructor(worker) {
    this.#worker = worker
    // So that the files are free at once for the page that comes next.
    addEventListener('pagehide', () => worker.terminate())
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
    return this.insertMany([document])
  }
}
