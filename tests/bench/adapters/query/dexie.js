// Dexie: filters and groups in JavaScript, as its users do; liveQuery; words as a multi-entry index.
import { Dexie, liveQuery } from 'dexie'
import { Groups, columnsOf, hourOf, siteOf } from './groups.js'

const RELAXED = { chromeTransactionDurability: 'relaxed' }

export const without = { Q6: 'Dexie has no schemas' }
/** Ten thousand take a minute to begin, and each write of the page is then held against all of them. */
export const live_most = 100

async function table(name, schema) {
  const db = new Dexie(name, RELAXED)
  db.version(1).stores({ documents: schema })
  await db.open()
  return db.table('documents')
}

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

  filter(from, to) {
    return this.#table.filter(({ value }) => value >= from && value < to).toArray()
  }

  bySite() {
    return this.#groups(siteOf)
  }

  byHour() {
    return this.#groups(hourOf)
  }

  async #groups(keyOf) {
    const groups = new Groups(keyOf)
    await this.#table.each(document => groups.add(document))
    return groups.list()
  }

  async columns(fields) {
    return columnsOf(await this.#table.toArray(), fields)
  }

  /** Resolves with the first result; each further one is told. */
  follow(agent, limit, told) {
    const newest = () => this.#table.where('[agent+ts]').between([agent, Dexie.minKey], [agent, Dexie.maxKey]).reverse().limit(limit).toArray()
    return new Promise((resolve, reject) => {
      liveQuery(newest).subscribe({
        next(found) {
          resolve()
          told(found)
        },
        error: reject,
      })
    })
  }
}

/** Titles with their words. */
class Titles {
  #table

  constructor(table) {
    this.#table = table
  }

  insertMany(documents) {
    return this.#table.bulkAdd(documents.map(document => ({ ...document, words: [...new Set(document.title.toLowerCase().split(' '))] })))
  }

  search(words, limit) {
    return this.#best(this.#table.where('words').anyOf(words), limit)
  }

  prefix(letters, limit) {
    return this.#best(this.#table.where('words').startsWith(letters), limit)
  }

  /** Those of which most words are there, by their keys alone; then the documents. */
  async #best(collection, limit) {
    const times = new Map()
    for (const key of await collection.primaryKeys()) times.set(key, (times.get(key) ?? 0) + 1)
    const best = [...times].sort(([, one], [, other]) => other - one).slice(0, limit)
    return this.#table.bulkGet(best.map(([key]) => key))
  }
}

export const open = async () => new Store(await table('bench', 'id'))
export const openLive = async name => new Store(await table(name, 'id, [agent+ts]'))
export const openText = async () => new Titles(await table('text', 'id, *words'))
