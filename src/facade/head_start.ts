// A head start: the browser opens its files of a database while the engine is being loaded.
//
// Not how the database is opened: the engine does that, and this connection is closed as soon as it has.
// Invariants: nothing is created, changed or waited for here; what the browser says once, to whoever comes first, about data
// that it lost is kept for the engine's opening.

import { HyphaError, quote } from './errors.js'

export class HeadStart {
  readonly #name: string
  #database: IDBDatabase | undefined
  #isOver = false
  #lost: string | undefined

  /** Begins; whatever comes of it. */
  constructor(name: string) {
    this.#name = name
    try {
      this.#open()
    } catch {
      // Then the engine's own attempt says why.
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
    }
    request.onerror = (event) => event.preventDefault()
  }

  /** Lets go. Throws `lost` when the browser has thrown the database away. */
  finish(): void {
    this.end()
    if (this.#lost === undefined) return
    throw new HyphaError('lost', `the browser lost database ${quote(this.#name)} and said: ${this.#lost}`, {
      hint: 'restore a backup; `acceptLoss: true`, or opening it once more, begins an empty database',
    })
  }

  /** Lets go. */
  end(): void {
    this.#isOver = true
    this.#database?.close()
  }
}
