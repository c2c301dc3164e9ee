// Live queries: documents that are kept as they are after the newest commit.
//
// Not the judgement what a commit changes: the engine sends differences (`src/db/live/message.rs`), and here they are applied.
// Invariants: an array that was given out is never changed; a document that did not change is the same object from one
// result to the next; a difference that is only half of a result (`due`) is not shown before the other half is here.

import type { Request } from './codec.js'
import type { HyphaError } from './errors.js'
import type { LiveChanges, LiveResult } from './types.js'

/** What the engine says of one query: places before that are taken out, and threes of place now, place before + 1, flags. */
type Entry = readonly [live: number, seq: number, removed: Uint8Array, placed: Uint8Array, docs: readonly object[], due: boolean]

/** With more differences than this, the array is written anew. */
const FEW = 32
const CHANGED = 1
const MOVED = 2
const NONE = new Uint32Array(0)

/** Who follows a query. */
export interface Follower {
  /** There may be another result: `live.take()` tells. */
  changed(live: Live): void
  /** There will be none any more: the query failed or, without a reason, the database was closed. */
  ended(reason: HyphaError | undefined): void
}

/** The live queries of one connection. */
export class Lives {
  readonly #ask: (request: Request) => Promise<unknown>
  readonly #open = new Map<number, Live>()
  #made = 0

  constructor(ask: (request: Request) => Promise<unknown>) {
    this.#ask = ask
  }

  /** Follows a query, whose request is that of a `find` or an `aggregate`. */
  open(request: Request, follower: Follower): Live {
    const number = ++this.#made
    const ask = (op: string, more?: object): Promise<unknown> => this.#ask({ op, live: number, ...more })
    const live = new Live(request, follower, ask, () => void this.#open.delete(number))
    this.#open.set(number, live)
    live.start()
    return live
  }

  /** A message of the engine. */
  receive(message: unknown): void {
    for (const entry of message as readonly Entry[]) this.#open.get(entry[0])?.receive(entry)
  }

  /** Ends all. */
  end(reason: (() => HyphaError) | undefined): void {
    for (const live of [...this.#open.values()]) live.end(reason?.())
  }
}

/** One query with its result. */
export class Live {
  readonly #request: Request
  readonly #follower: Follower
  readonly #ask: (op: string, more?: object) => Promise<unknown>
  readonly #forget: () => void
  readonly #skip: number
  readonly #end: number | undefined
  /** What is skipped, what is wanted, and a little more. */
  #window: object[] = []
  /** Somebody has the window: it is not to be changed. */
  #isGiven = false
  #given: readonly object[] | undefined
  #seq = 0
  #isAsking = false
  #isOver = false
  #waiting: Entry[] = []
  /** Since the last result that was taken: */
  readonly #come = new Set<object>()
  readonly #gone = new Set<object>()
  readonly #moved = new Set<object>()
  /** Documents, and what stood in their place. */
  readonly #instead = new Map<object, object>()

  constructor(request: Request, follower: Follower, ask: (op: string, more?: object) => Promise<unknown>, forget: () => void) {
    this.#request = request
    this.#follower = follower
    this.#ask = ask
    this.#forget = forget
    this.#skip = (request['skip'] as number | undefined) ?? 0
    const limit = request['limit'] as number | undefined
    this.#end = limit === undefined ? undefined : this.#skip + limit
  }

  /** Asks for the first result. */
  start(): void {
    void this.#read('live_open', this.#request)
  }

  /** What there is now, and what changed since this was asked for last; `undefined`: nothing. */
  take(): LiveResult<any> | undefined {
    const before = this.#given
    const isWhole = this.#skip === 0 && this.#end === undefined
    const docs = isWhole ? this.#window : this.#window.slice(this.#skip, this.#end)
    const changes = before === undefined ? { added: [...docs], updated: [], removed: [], moved: [] } : isWhole ? this.#noted() : this.#compared(before, docs)
    for (const noted of [this.#come, this.#gone, this.#moved, this.#instead]) noted.clear()
    if (before !== undefined && !Object.values(changes).some((list: object[]) => list.length > 0)) return undefined
    this.#isGiven = isWhole
    this.#given = docs
    return { docs, changes, seq: this.#seq }
  }

  /** @internal The engine has something to say. */
  receive(entry: Entry): void {
    if (this.#isAsking) this.#waiting.push(entry)
    else if (this.#apply(entry)) void this.#read('live_next')
    else this.#follower.changed(this)
  }

  /** Nobody follows any more. */
  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#forget()
    this.#ask('live_close').catch(() => undefined)
  }

  /** There will be nothing more. */
  end(reason: HyphaError | undefined): void {
    if (this.#isOver) return
    this.stop()
    this.#follower.ended(reason)
  }

  /** Has the engine read, as often as it must; then what it said meanwhile is heard. */
  async #read(op: string, more?: object): Promise<void> {
    this.#isAsking = true
    try {
      for (let isDue = true; isDue; op = 'live_next', more = undefined) {
        isDue = false
        for (const entry of (await this.#ask(op, more)) as readonly Entry[]) isDue = this.#apply(entry)
        if (this.#isOver) return
      }
    } catch (thrown) {
      return this.end(thrown as HyphaError)
    }
    this.#isAsking = false
    this.#follower.changed(this)
    while (this.#waiting.length > 0 && !this.#isAsking && !this.#isOver) this.receive(this.#waiting.shift()!)
  }

  /** Takes a difference in; answers whether it is only half of one. */
  #apply([, seq, removedBytes, placedBytes, docs, due]: Entry): boolean {
    const [removed, placed] = [numbers(removedBytes), numbers(placedBytes)]
    this.#seq = seq
    if (removed.length + placed.length === 0) return due
    const before = this.#window
    const leaving = new Map<number, object>()
    for (const place of removed) leaving.set(place, before[place]!)
    const coming: object[] = []
    for (let at = 0, doc = 0; at < placed.length; at += 3) {
      const [from, flags] = [placed[at + 1]! - 1, placed[at + 2]!]
      const old = leaving.get(from)
      leaving.delete(from)
      const now = flags & CHANGED ? docs[doc++]! : old!
      coming.push(now)
      this.#note(old, now, (flags & MOVED) !== 0)
    }
    for (const gone of leaving.values()) this.#leave(gone)
    this.#window = removed.length + coming.length <= FEW ? spliced(this.#isGiven ? before.slice() : before, removed, placed, coming) : merged(before, removed, placed, coming)
    this.#isGiven = false
    return due
  }

  #note(old: object | undefined, now: object, isMoved: boolean): void {
    if (this.#given === undefined) return
    if (old === undefined) return void this.#come.add(now)
    const wasMoved = this.#moved.delete(old)
    if (isMoved || wasMoved) this.#moved.add(now)
    if (old === now) return
    if (this.#come.delete(old)) this.#come.add(now)
    else this.#instead.set(now, this.#instead.get(old) ?? old)
    this.#instead.delete(old)
  }

  #leave(old: object): void {
    if (this.#given === undefined) return
    this.#moved.delete(old)
    if (this.#come.delete(old)) return
    this.#gone.add(this.#instead.get(old) ?? old)
    this.#instead.delete(old)
  }

  /** What was noted of a whole window. */
  #noted(): LiveChanges<any> {
    const moved = [...this.#moved].filter((doc) => !this.#come.has(doc))
    return { added: [...this.#come], updated: [...this.#instead.keys()], removed: [...this.#gone], moved }
  }

  /** Of a part of the window, whose members change when others come and go. */
  #compared(before: readonly object[], docs: readonly object[]): LiveChanges<any> {
    const were = new Set(before)
    const added: object[] = []
    const updated: object[] = []
    const moved: object[] = []
    for (const doc of docs) {
      const old = this.#instead.get(doc) ?? doc
      if (!were.delete(old)) {
        added.push(doc)
        continue
      }
      if (old !== doc) updated.push(doc)
      if (this.#moved.has(doc)) moved.push(doc)
    }
    return { added, updated, removed: [...were], moved }
  }
}

function numbers(bytes: Uint8Array): Uint32Array {
  return bytes.length === 0 ? NONE : new Uint32Array(bytes.slice().buffer)
}

function spliced(window: object[], removed: Uint32Array, placed: Uint32Array, coming: readonly object[]): object[] {
  for (let place = removed.length - 1; place >= 0; place--) window.splice(removed[place]!, 1)
  coming.forEach((doc, place) => window.splice(placed[place * 3]!, 0, doc))
  return window
}

function merged(before: readonly object[], removed: Uint32Array, placed: Uint32Array, coming: readonly object[]): object[] {
  const window: object[] = []
  let [gone, next] = [0, 0]
  for (let place = 0; place <= before.length; place++) {
    while (next < coming.length && placed[next * 3] === window.length) window.push(coming[next++]!)
    if (removed[gone] === place) gone++
    else if (place < before.length) window.push(before[place]!)
  }
  return window
}
