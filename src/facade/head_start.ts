// A head start: the browser opens its files of a database, and reads its log, while the engine is being loaded.
//
// Not how a database is made, and not what its log means: what was read goes to the engine as it is, with the connection.
// Invariants: nothing is created or changed here; what the browser says once, to whoever comes first, about data that it lost
// is kept for the engine's opening; a connection that nobody takes is closed.

import { HyphaError, quote } from './errors.js'
import { answer } from './idb_request.js'

/** An open connection, all keys of its log, and their values. */
export type ReadAhead = readonly [database: IDBDatabase, keys: readonly IDBValidKey[], values: readonly unknown[]]

/** The object store of the log. */
const LOG = 'log'
/** Above this many values lists of them are cheaper than one by one. */
const GETS_MAX = 32
/** Values of one list: bounds the memory of one answer. */
const LIST_MAX = 256
/** After this the engine goes its own way, which has deadlines of its own. */
const PATIENCE_MS = 2_000

export class HeadStart {
  readonly #name: string
  readonly #reads: boolean
  readonly #readAhead: Promise<ReadAhead | undefined>
  #settle: (found?: ReadAhead) => void = () => undefined
  #database: IDBDatabase | undefined
  #isOver = false
  #isTaken = false
  #lost: string | undefined

  /** Begins; whatever comes of it. `reads`: the log is wanted too. */
  constructor(name: string, { reads }: { reads: boolean }) {
    this.#name = name
    this.#reads = reads
    this.#readAhead = new Promise((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS)
      this.#settle = (found) => {
        clearTimeout(timer)
        resolve(found)
      }
    })
    try {
      this.#open()
    } catch {
      // Then the engine's own attempt says why.
      this.#settle()
    }
  }

  #open(): void {
    const request = indexedDB.open(this.#name)
    request.onupgradeneeded = (event) => {
      const { dataLoss, dataLossMessage } = event as { dataLoss?: string; dataLossMessage?: string }
      if (dataLoss === 'partial' || dataLoss === 'total') this.#lost = dataLossMessage ?? ''
      // There is no such database, and there shall be none because of this.
      request.transaction?.abort()
    }
    request.onsuccess = () => {
      this.#database = request.result
      this.#database.onversionchange = () => this.end()
      if (this.#isOver) this.end()
      else if (this.#reads) this.#read(this.#database).then(this.#settle, () => this.#settle())
      else this.#settle()
    }
    request.onerror = (event) => {
      event.preventDefault()
      this.#settle()
    }
  }

  /** All in one transaction, so in one state. */
  async #read(database: IDBDatabase): Promise<ReadAhead> {
    const log = database.transaction(LOG).objectStore(LOG)
    const keys = await answer(log.getAllKeys())
    const lists = keys.length > GETS_MAX
      ? await Promise.all(chunks(keys).map((chunk) => answer(log.getAll(IDBKeyRange.bound(chunk[0], chunk.at(-1))))))
      : [await Promise.all(keys.map((key) => answer(log.get(key))))]
    return [database, keys, lists.flat()]
  }

  /** What was found, to be used at once: from here on the connection is the caller's. Nothing where it did not come to that. */
  async take(): Promise<ReadAhead | undefined> {
    const found = await this.#readAhead
    if (found === undefined || this.#isOver) return undefined
    this.#isTaken = true
    found[0].onversionchange = null
    return found
  }

  /** The engine has opened the database. Throws `lost` when the browser has thrown it away. */
  finish(): void {
    if (!this.#isTaken) this.end()
    if (this.#lost === undefined) return
    throw new HyphaError('lost', `the browser lost database ${quote(this.#name)} and said: ${this.#lost}`, {
      hint: 'restore a backup; `acceptLoss: true`, or opening it once more, begins an empty database',
    })
  }

  /** Lets go, whoever has it. */
  end(): void {
    this.#isOver = true
    this.#settle()
    this.#database?.close()
  }
}

function chunks(keys: IDBValidKey[]): IDBValidKey[][] {
  return Array.from({ length: Math.ceil(keys.length / LIST_MAX) }, (_, number) => keys.slice(number * LIST_MAX, (number + 1) * LIST_MAX))
}
