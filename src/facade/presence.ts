// Who is here: each context that has a database open holds a lock, so that others can tell how many there are.
//
// Not for safety: without Web Locks nobody can tell, and whoever asks takes it that there are others.
// Invariant: the lock is let go of at the end, and by the browser where a context ends without a word.

export class Presence {
  #leave: () => void = () => undefined

  /** Is here from now on. */
  constructor(name: string) {
    const held = new Promise<void>((leave) => { this.#leave = leave })
    locks()?.request(lockOf(name), { mode: 'shared' }, () => held).catch(() => undefined)
  }

  /** Is gone. */
  end(): void {
    this.#leave()
  }
}

/** How many contexts have the database open; infinitely many where nobody knows. */
export async function countPresent(name: string): Promise<number> {
  const { held = [] } = (await locks()?.query()) ?? {}
  return locks() === undefined ? Number.POSITIVE_INFINITY : held.filter((lock) => lock.name === lockOf(name)).length
}

function locks(): LockManager | undefined {
  return typeof navigator === 'undefined' ? undefined : navigator.locks
}

function lockOf(name: string): string {
  return `hyphadb:${name}:alive`
}
