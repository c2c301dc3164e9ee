// IndexedDB by hand: one record per document, requests pipelined, one relaxed transaction per batch.
const NAME = 'bench'
const STORE = 'readings'
const RELAXED = { durability: 'relaxed' }

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

  #reading() {
    return this.#db.transaction(STORE).objectStore(STORE)
  }

  /** Lets `issue` put its requests into one transaction, and waits for the commit. */
  #write(issue) {
    const transaction = this.#db.transaction(STORE, 'readwrite', RELAXED)
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error)
      issue(transaction.objectStore(STORE), transaction)
    })
  }

  insertMany(documents) {
    return this.#write((store, transaction) => {
      for (const document of documents) store.add(document)
      transaction.commit()
    })
  }

  insert(document) {
    return this.insertMany([document])
  }

  get(id) {
    return done(this.#reading().get(id))
  }

  getMany(ids) {
    const store = this.#reading()
    return Promise.all(ids.map(id => done(store.get(id))))
  }

  /** There is no index on agent and time: all of the agent's, sorted here. */
  async #newestOfAgent(agent, limit) {
    const found = await done(this.#reading().index('agent').getAll(agent))
    return found.sort((a, b) => b.ts - a.ts).slice(0, limit)
  }

  async #newestOfSite(site, limit) {
    const index = this.#reading().index('site_ts')
    const query = IDBKeyRange.bound([site], [site, []])
    if (index.getAllRecords) {
      return (await done(index.getAllRecords({ query, count: limit, direction: 'prev' }))).map(({ value }) => value)
    }
    return walk(index.openCursor(query, 'prev'), limit)
  }

  newest(field, value, limit) {
    return field === 'agent' ? this.#newestOfAgent(value, limit) : this.#newestOfSite(value, limit)
  }

  range(from, to) {
    return done(this.#reading().index('ts').getAll(IDBKeyRange.bound(from, to, false, true)))
  }

  update(patches) {
    return this.#write(store => {
      for (const { id, value } of patches) {
        const reading = store.get(id)
        reading.onsuccess = () => store.put({ ...reading.result, value })
      }
    })
  }

  remove(ids) {
    return this.#write((store, transaction) => {
      for (const id of ids) store.delete(id)
      transaction.commit()
    })
  }

  count() {
    return done(this.#reading().count())
  }
}

/** The first values of a cursor, where the browser has no `getAllRecords`. */
function walk(request, limit) {
  const found = []
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error)
    request.onsuccess = () => {
      const cursor = request.result
      if (!cursor) return resolve(found)
      found.push(cursor.value)
      if (found.length === limit) return resolve(found)
      cursor.continue()
    }
  })
}

export async function open() {
  const request = indexedDB.open(NAME, 1)
  request.onupgradeneeded = () => {
    const store = request.result.createObjectStore(STORE, { keyPath: 'id' })
    store.createIndex('agent', 'agent')
    store.createIndex('ts', 'ts')
    store.createIndex('site_ts', ['site', 'ts'])
  }
  return new Raw(await done(request))
}
