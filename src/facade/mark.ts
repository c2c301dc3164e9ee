// What is remembered of a database outside IndexedDB: that it was there, and its newest commit that was flushed.
//
// Not a copy of data. IndexedDB may be wiped or rolled back as a whole by the browser, silently; the cache storage is
// another backing store, so the engine can tell a lost database from a new one when it opens.
// Invariants: where there is no cache storage, or it refuses, everything works as without a mark; a mark is never ahead
// of what was flushed; the mark goes when the database is deleted.

/** As `Mark` of the engine. */
export interface Mark {
  /** The database's identity, in hexadecimal. */
  readonly database: string
  /** The newest commit that was known to survive power loss. */
  readonly seq: number
}

const CACHE = 'hyphadb-marks'
/** At most one write in this time: what a mark says may be older than the truth, and does no harm then. */
const REST_MS = 2_000

/** The mark of a database, if there is one. */
export async function readMark(name: string): Promise<Mark | undefined> {
  try {
    const stored = await (await marks())?.match(address(name))
    const mark = (await stored?.json()) as Partial<Mark> | undefined
    return typeof mark?.database === 'string' && typeof mark.seq === 'number' ? { database: mark.database, seq: mark.seq } : undefined
  } catch {
    return undefined
  }
}

/** Forgets a database. */
export async function forgetMark(name: string): Promise<void> {
  try {
    await (await marks())?.delete(address(name))
  } catch {
    // There is nothing to forget where nothing can be kept.
  }
}

/** Tells the present mark, or nothing once it is unknown. */
type Look = () => Promise<Mark> | undefined

/** Keeps the mark of one open database up to date. */
export class MarkKeeper {
  readonly #name: string
  readonly #look: Look
  #written = ''
  #rest: ReturnType<typeof setTimeout> | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(name: string, look: Look) {
    this.#name = name
    this.#look = look
  }

  /** There may be something new to remember. */
  wake(): void {
    this.#rest ??= setTimeout(() => {
      this.#rest = undefined
      void this.write()
    }, REST_MS)
    ;(this.#rest as { unref?: () => void }).unref?.()
  }

  /** Writes now, if there is something new. */
  write(): Promise<void> {
    // Looked at now: a moment later the engine may be gone.
    const mark = this.#look()
    this.#writing = Promise.all([mark, this.#writing]).then(([known]) => this.#put(known), () => undefined)
    return this.#writing
  }

  /** The database was deleted: what is being written is taken back. */
  forget(): Promise<void> {
    clearTimeout(this.#rest)
    this.#writing = this.#writing.then(() => forgetMark(this.#name))
    return this.#writing
  }

  /** Writes for the last time. */
  async stop(): Promise<void> {
    clearTimeout(this.#rest)
    this.#rest = undefined
    await this.write()
  }

  async #put(mark: Mark | undefined): Promise<void> {
    const text = mark === undefined ? '' : JSON.stringify(mark)
    if (text === '' || text === this.#written) return
    try {
      await (await marks())?.put(address(this.#name), new Response(text))
      this.#written = text
    } catch {
      // The next commit tries again; without a mark a loss is only harder to tell.
    }
  }
}

async function marks(): Promise<Cache | undefined> {
  // Not there in runtimes without a browser's storage, nor on pages without a secure origin.
  return typeof caches === 'undefined' || typeof indexedDB === 'undefined' ? undefined : caches.open(CACHE)
}

function address(name: string): string {
  return `https://hyphadb.invalid/mark/${encodeURIComponent(name)}`
}
