// The line of those calls of one context that were in each other's way: they try again one after the other.
//
// Not for safety, and not between contexts: those have `turns.ts`. Without it, of many transactions that read and write
// the same document only one gets through each time, and all the others run for nothing.
// Invariants: whoever was in conflict once stands in line until it is done; nobody holds up the line for longer than the
// deadline, so a transaction inside a transaction cannot wait for the one around it for ever.

/** After this the next one goes, although the one before is not done. */
const DEADLINE_MS = 250

/** Leaves the line. */
export type Leave = () => void

export class Line {
  #last: Promise<void> = Promise.resolve()

  /** Waits for those before; answers how to leave. */
  async join(): Promise<Leave> {
    const before = this.#last
    let leave: Leave = () => undefined
    const left = new Promise<void>((resolve) => { leave = resolve })
    this.#last = before.then(() => atMost(DEADLINE_MS, left))
    await before
    return leave
  }
}

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  await Promise.race([work, new Promise((resolve) => { timer = setTimeout(resolve, ms) })])
  clearTimeout(timer)
}
