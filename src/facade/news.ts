// Looking for commits of other contexts when there may be some.
//
// Not the hints themselves: those are in `peers.ts`.
// Invariant: one look is under way at a time; hints that come meanwhile are answered by one more.

/** Looks, once for all the hints that come together. */
export class News {
  readonly #look: () => Promise<unknown>
  #isLooking = false
  #isWaiting = false

  constructor(look: () => Promise<unknown>) {
    this.#look = look
  }

  /** There may be news. */
  async hint(): Promise<void> {
    this.#isWaiting = true
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      while (this.#isWaiting) {
        this.#isWaiting = false
        await this.#look()
      }
    } catch {
      // A look that fails is made good by the next one, at the latest by the next commit.
    } finally {
      this.#isLooking = false
    }
  }
}
