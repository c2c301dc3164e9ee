// The one loop that gives the engine its background work: checkpoints, compaction, the building of indexes.
//
// Not a scheduler: the engine decides what there is to do, and gives way to other tasks while it does it.
// Invariants: other tasks get a turn after each piece of work; no timer of this file keeps a process alive.

/** How long after the first news the work begins: commits that come together are worked off together. */
const REST_MS = 200

/** Runs `maintain` while there is work, after each `wake`. */
export class Timer {
  readonly #maintain: () => Promise<boolean>
  readonly #exclusively: (work: () => Promise<void>) => Promise<void>
  #state: 'asleep' | 'resting' | 'working' | 'stopped' = 'asleep'
  #again = false
  #rest: ReturnType<typeof setTimeout> | undefined

  /** `exclusively` runs the work while no other context does the same, or not at all. */
  constructor(maintain: () => Promise<boolean>, exclusively: (work: () => Promise<void>) => Promise<void>) {
    this.#maintain = maintain
    this.#exclusively = exclusively
  }

  /** There may be work. */
  wake(): void {
    if (this.#state === 'working') this.#again = true
    if (this.#state !== 'asleep') return
    this.#state = 'resting'
    this.#rest = setTimeout(() => void this.#work(), REST_MS)
    unref(this.#rest)
  }

  /** No slice begins after this. */
  stop(): void {
    this.#state = 'stopped'
    clearTimeout(this.#rest)
  }

  async #work(): Promise<void> {
    this.#state = 'working'
    this.#again = false
    try {
      await this.#exclusively(async () => {
        while (this.#state === 'working' && (await this.#maintain())) await turn()
      })
    } catch {
      // Background work that fails harms nobody: it is tried again after the next commit, and what ails the storage shows
      // in the calls of the user.
    }
    if (this.#state !== 'working') return
    this.#state = 'asleep'
    if (this.#again) this.wake()
  }
}

/** Lets every other task have its turn. */
function turn(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { postTask?: (task: () => void, options: { priority: string }) => Promise<void> } }
  if (scheduler?.postTask !== undefined) return scheduler.postTask(() => undefined, { priority: 'background' })
  return new Promise((resolve) => setTimeout(resolve, 0))
}

/** Node's timers keep the process alive, others do not. */
function unref(timer: unknown): void {
  ;(timer as { unref?: () => void } | undefined)?.unref?.()
}
