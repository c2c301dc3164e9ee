// Turns: while contexts run into each other's commits, they write one after the other.
//
// Not a lock on data, and not needed for safety: a commit that was overtaken fails or is run again whatever happens here.
// It is for fairness. A context that writes without a pause is always first, and sees nothing of the one that is always
// second; so the second asks the others to stand in line for a while. Web Locks are handed on in the order of asking.
// Invariants: without contention no lock is asked for; all writes of one context share a turn; nobody waits for a turn
// longer than the deadline.

/** How long contexts stand in line after the last conflict. */
const CONTENTION_MS = 500
/** A turn takes no more writes after this, so that others get theirs. */
const TURN_MS = 20
/** Whoever does not get a turn in this time goes on without. */
const DEADLINE_MS = 5_000

/** The longest wait of one that has a turn and is in conflict all the same. */
const PAUSE_MS_MAX = 64

/** Ends a turn. */
export type Release = () => void

interface Turn {
  /** Nothing where the turn did not come in time. */
  readonly granted: Promise<Release | undefined>
  until: number
  writes: number
}

export class Turns {
  readonly #name: string
  readonly #tell: () => void
  #contendedUntil = 0
  #turn: Turn | undefined

  /** `tell` asks the other contexts to stand in line: each of them calls `contend`. */
  constructor(name: string, tell: () => void) {
    this.#name = `hyphadb:${name}:turn`
    this.#tell = tell
  }

  /** Another context asked to stand in line. */
  contend(): void {
    this.#contendedUntil = performance.now() + CONTENTION_MS
  }

  /** A turn, if contexts stand in line now. */
  async ifContended(): Promise<Release | undefined> {
    return performance.now() < this.#contendedUntil ? this.#join() : undefined
  }

  /**
   * A turn after a conflict: the others are asked to stand in line too. In conflict although it `held` a turn, the caller
   * keeps it, and waits a little for those who have not heard yet: the more often, the longer.
   */
  async afterConflict(held: Release | undefined, attempt: number): Promise<Release | undefined> {
    this.contend()
    this.#tell()
    if (held === undefined) return this.#join()
    await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** attempt, PAUSE_MS_MAX)))
    return held
  }

  async #join(): Promise<Release | undefined> {
    const locks = typeof navigator === 'undefined' ? undefined : navigator.locks
    if (locks === undefined) return undefined
    let turn = this.#turn
    if (turn === undefined || performance.now() > turn.until) {
      turn = { granted: this.#ask(locks), until: Infinity, writes: 0 }
      this.#turn = turn
    }
    turn.writes++
    const release = await turn.granted
    if (release === undefined) {
      if (this.#turn === turn) this.#turn = undefined
      return undefined
    }
    if (turn.until === Infinity) turn.until = performance.now() + TURN_MS
    return () => {
      if (--turn.writes > 0) return
      if (this.#turn === turn) this.#turn = undefined
      release()
    }
  }

  #ask(locks: LockManager): Promise<Release | undefined> {
    return new Promise((granted) => {
      const hold = (): Promise<void> => new Promise((release) => granted(release))
      locks.request(this.#name, { signal: AbortSignal.timeout(DEADLINE_MS) }, hold).catch(() => granted(undefined))
    })
  }
}
