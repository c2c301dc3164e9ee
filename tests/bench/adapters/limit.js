// Not a database: the bytes of the same documents in values of 256 KiB, one relaxed transaction for each write; reads from
// maps and arrays of plain JavaScript.
//
// The physical limit: what no database over IndexedDB can be much quicker than. Encoding to bytes is not timed, but in
// updates; decoding is not timed; opening reads every byte.
const NAME = 'bench'
const STORE = 'bytes'
const VALUE_BYTES = 256 * 1024

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function completed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })
}

/** Documents as lines of JSON, cut into values. */
function pack(documents) {
  const bytes = new TextEncoder().encode(documents.map(document => JSON.stringify(document)).join('\n') + '\n')
  const values = []
  for (let from = 0; from < bytes.length; from += VALUE_BYTES) values.push(bytes.slice(from, from + VALUE_BYTES))
  return values
}

function unpack(values) {
  const decoder = new TextDecoder()
  const text = values.map(value => decoder.decode(value, { stream: true })).join('')
  return text.split('\n').filter(Boolean).map(line => JSON.parse(line))
}

class Limit {
  #db
  #values
  #documents
  /** By agent, by site, and all, oldest first; `undefined` when it has to be made anew. */
  #sorted

  constructor(db, values) {
    this.#db = db
    this.#values = values
  }

  encode(documents) {
    return pack(documents)
  }

  /** Decodes what was read; before it, reads answer nothing. */
  ready() {
    this.#documents = new Map(unpack(this.#values).map(document => [document.id, document]))
    this.#sort()
  }

  async #write(values) {
    const transaction = this.#db.transaction(STORE, 'readwrite', { durability: 'relaxed' })
    const store = transaction.objectStore(STORE)
    for (const value of values) store.add(value)
    transaction.commit()
    await completed(transaction)
    this.#values.push(...values)
    this.#sorted = undefined
  }

  insertMany(values) {
    return this.#write(values)
  }

  insert(values) {
    return this.#write(values)
  }

  insertTogether(values) {
    return this.#write(values)
  }

  async get(id) {
    return this.#current()?.get(id)
  }

  async getMany(ids) {
    const documents = this.#current()
    return ids.map(id => documents.get(id))
  }

  async newest(field, value, limit) {
    if (!this.#current()) return undefined
    return (this.#sorted[field].get(value) ?? []).slice(-limit).reverse()
  }

  async range(from, to) {
    const all = this.#sorted.ts
    return all.slice(firstNotBefore(all, from), firstNotBefore(all, to))
  }

  update(patches) {
    const documents = patches.map(({ id, value }) => ({ ...this.#documents.get(id), value }))
    return this.#write(pack(documents))
  }

  /** One value that names the removed documents. */
  remove(ids) {
    return this.#write([new TextEncoder().encode(ids.map(id => JSON.stringify({ id, removed: true })).join('\n') + '\n')])
  }

  async count() {
    return this.#current().size
  }

  #current() {
    if (this.#documents && !this.#sorted) this.ready()
    return this.#documents
  }

  #sort() {
    this.#sorted = { agent: new Map(), site: new Map(), ts: [] }
    for (const document of this.#documents.values()) {
      if (document.removed) {
        this.#documents.delete(document.id)
        continue
      }
      this.#sorted.ts.push(document)
      for (const field of ['agent', 'site']) {
        const list = this.#sorted[field].get(document[field])
        if (list) list.push(document)
        else this.#sorted[field].set(document[field], [document])
      }
    }
  }
}

/** The first place of a list in order of `ts` that is not before `ts`. */
function firstNotBefore(list, ts) {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (list[middle].ts < ts) low = middle + 1
    else high = middle
  }
  return low
}

/** Opens, and reads every byte. */
export async function open() {
  const request = indexedDB.open(NAME, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { autoIncrement: true })
  const db = await done(request)
  const store = db.transaction(STORE).objectStore(STORE)
  const keys = await done(store.getAllKeys())
  const reading = db.transaction(STORE).objectStore(STORE)
  return new Limit(db, await Promise.all(keys.map(key => done(reading.get(key)))))
}
