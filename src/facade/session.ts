// Sessions: whether the last one with a database ended by itself, or the browser was killed under it.
//
// Not for safety of what is stored: it says when Chromium's own log is to be put away before more is written behind its
// torn end (`Engine.retire_log`).
// Invariants: notes lie in the cache storage, which is on disk at once (local storage is not); each session has a note of
// its own and takes it away at its end; where another context is alive, nothing is said of those that are not.

const CACHE = 'hyphadb-sessions'
/** How long the browser may go on writing after its log was put away: who is killed in that time was killed in a write. */
const SETTLE_MS = 1_000

/** A session that has begun. */
export interface Begun {
  readonly session: Session
  /** The one before it was killed, and nobody has put the browser's log away since. */
  readonly wasKilled: boolean
}

export class Session {
  readonly #name: string
  readonly #address: string
  #leave: () => void = () => undefined
  /** Held, because a page that is being left has no time to open it. */
  #notes: Cache | undefined
  #dead: readonly Request[] = []
  #settling: ReturnType<typeof setTimeout> | undefined
  #isOver = false
  readonly #onHide = (): void => void this.#forget()
  readonly #onShow = (): void => void this.#note()

  private constructor(name: string) {
    this.#name = name
    this.#address = `${prefix(name)}${Math.random().toString(36).slice(2)}`
  }

  /** Begins a session; answers it, and whether the one before was killed. */
  static async begin(name: string): Promise<Begun> {
    const session = new Session(name)
    const wasKilled = await session.#lookBack().catch(() => false)
    void session.#note()
    session.#live()
    return { session, wasKilled }
  }

  /** Ends it, cleanly. */
  end(): void {
    this.#isOver = true
    if (typeof document !== 'undefined') {
      globalThis.removeEventListener('pagehide', this.#onHide)
      globalThis.removeEventListener('pageshow', this.#onShow)
    }
    this.#leave()
    void this.#forget()
  }

  /** What the notes of dead sessions ask for was done: they go once the browser has settled, and till then this one stays. */
  forgetDead(): void {
    this.#settling = setTimeout(() => {
      this.#settling = undefined
      Promise.all(this.#dead.map((note) => this.#notes?.delete(note))).catch(() => undefined)
      if (this.#isOver) void this.#forget()
    }, SETTLE_MS)
  }

  /** Whether notes of dead sessions are there. */
  async #lookBack(): Promise<boolean> {
    const [notes, contexts] = await Promise.all([open(), countAlive(this.#name)])
    this.#notes = notes
    if (notes === undefined || (contexts !== Number.POSITIVE_INFINITY && contexts > 0)) return false
    this.#dead = (await notes.keys()).filter(({ url }) => url.startsWith(prefix(this.#name)))
    return this.#dead.length > 0
  }

  /** Holds a lock for as long as this context lives, so that others can tell. */
  #live(): void {
    if (typeof document !== 'undefined') {
      // A page that is left by a link or a reload is not killed; it may also come back.
      globalThis.addEventListener('pagehide', this.#onHide)
      globalThis.addEventListener('pageshow', this.#onShow)
    }
    const held = new Promise<void>((leave) => { this.#leave = leave })
    if (typeof navigator !== 'undefined') navigator.locks?.request(alive(this.#name), { mode: 'shared' }, () => held).catch(() => undefined)
  }

  async #note(): Promise<void> {
    // A worker is ended without a word in the best of days: only pages take notes.
    if (typeof document === 'undefined') return
    try {
      await this.#notes?.put(this.#address, new Response(''))
    } catch {
      // Then a kill goes unnoticed; nothing else depends on it.
    }
  }

  async #forget(): Promise<void> {
    // Whoever is gone before the browser has settled leaves it to the next start.
    if (this.#settling !== undefined) return
    try {
      await this.#notes?.delete(this.#address)
    } catch {
      // Then this end looks like a kill; the next start does a little more than it needs to.
    }
  }
}

/** How many contexts have the database open; without Web Locks nobody knows. */
export async function countAlive(name: string): Promise<number> {
  if (typeof navigator === 'undefined' || navigator.locks === undefined) return Number.POSITIVE_INFINITY
  const { held = [] } = await navigator.locks.query()
  return held.filter((lock) => lock.name === alive(name)).length
}

function open(): Promise<Cache> | undefined {
  return typeof caches === 'undefined' || typeof indexedDB === 'undefined' ? undefined : caches.open(CACHE)
}

function alive(name: string): string {
  return `hyphadb:${name}:alive`
}

function prefix(name: string): string {
  return `https://hyphadb.invalid/session/${encodeURIComponent(name)}/`
}
