// The other contexts (tabs, workers) that have the same database open.
//
// Not a channel for data, and nothing depends on it: a hint says "look", the head in the storage is the truth.
// Invariants: works without BroadcastChannel, Web Locks and `window`; a lock decides only who does background work.

import { countPresent } from './presence.js'
import { Turns } from './turns.js'

/** How long news waits for more: a message costs a quarter of a millisecond, a fifth of a commit. */
const TELL_MS = 8
/** While commits go on, no sooner after the last news than this. */
const TELL_AGAIN_MS = 50
/** A message instead of a commit's number: let us stand in line. */
const CONTENDED = 'contended'

/** Hints to and from other contexts. */
export class Peers {
  /** Turns at writing, for when contexts are in each other's way. */
  readonly turns: Turns
  readonly #database: string
  readonly #name: string
  readonly #channel: BroadcastChannel | undefined
  readonly #look: () => void
  readonly #onVisible = (): void => {
    if (document.visibilityState === 'visible') this.#look()
  }
  #announced = 0
  #telling: ReturnType<typeof setTimeout> | undefined
  #toldMs = -Infinity
  #stopped = false

  /** `look` is called when another context may have committed. */
  constructor(name: string, look: () => void) {
    this.#database = name
    this.#name = `hyphadb:${name}`
    this.#look = look
    this.turns = new Turns(name, () => this.#post(CONTENDED))
    if (typeof BroadcastChannel === 'function') {
      this.#channel = new BroadcastChannel(this.#name)
      this.#channel.onmessage = (message) => {
        if (message.data === CONTENDED) this.turns.contend()
        look()
      }
      ;(this.#channel as { unref?: () => void }).unref?.()
    }
    // A page that was frozen, or came back from the history, has missed hints.
    if (typeof document !== 'undefined') {
      document.addEventListener('visibilitychange', this.#onVisible)
      document.addEventListener('resume', look)
      globalThis.addEventListener('pageshow', look)
    }
  }

  /** Tells the others, within a moment, that there is a new head: many commits are one piece of news. */
  announce(seq: number): void {
    if (seq <= this.#announced) return
    this.#announced = seq
    if (this.#channel === undefined || this.#telling !== undefined) return
    this.#telling = setTimeout(() => {
      this.#telling = undefined
      this.#toldMs = performance.now()
      this.#post(this.#announced)
    }, Math.max(TELL_MS, this.#toldMs + TELL_AGAIN_MS - performance.now()))
  }

  #post(message: unknown): void {
    if (!this.#stopped) this.#channel?.postMessage(message)
  }

  /** Runs `work` unless another context is at it already. */
  async exclusively(work: () => Promise<void>): Promise<void> {
    const locks = typeof navigator === 'undefined' ? undefined : navigator.locks
    if (locks === undefined) return work()
    await locks.request(`${this.#name}:work`, { ifAvailable: true }, async (lock) => {
      if (lock !== null) await work()
    })
  }

  /** Whether no other context has the database open, as far as the browser knows. */
  async areAbsent(): Promise<boolean> {
    return (await countPresent(this.#database)) <= 1
  }

  /** No hint goes out or comes in after this. */
  stop(): void {
    if (this.#telling !== undefined) {
      clearTimeout(this.#telling)
      this.#post(this.#announced)
    }
    this.#stopped = true
    this.#channel?.close()
    if (typeof document !== 'undefined') {
      document.removeEventListener('visibilitychange', this.#onVisible)
      document.removeEventListener('resume', this.#look)
      globalThis.removeEventListener('pageshow', this.#look)
    }
  }
}
