// One run of a phase: its settings, its clock, its judgement of answers. Every set of workloads is run with it.
//
// Invariants: only what stands between two looks at the clock is measured; every answer is compared with a model outside
// of that, and a wrong one ends the phase with an error.
import { difference } from './model.js'
import { SIZES } from './questions.js'

/** A wrong answer: the adapter has no time then, however quick it was. */
export class Wrong extends Error {
  name = 'Wrong'
}

/** Compares an answer with what the model says. */
export function check(question, found, wanted) {
  const different = difference(found, wanted)
  if (different !== undefined) throw new Wrong(`${question}: ${different}`)
}

/** How long `work` takes, in milliseconds, and what it answers. */
export async function timed(work) {
  const start = performance.now()
  const answer = await work()
  return { answer, ms: performance.now() - start }
}

/** One run of a phase: what it was told, and the times that it has taken. */
export class Run {
  times = {}
  values = {}
  notes = {}

  constructor({ adapter, seed, documents, workloads, visit }) {
    this.adapter = adapter
    this.visit = visit
    this.seed = seed
    this.documents = documents
    this.workloads = new Set(workloads)
  }

  wants(workload) {
    return this.workloads.has(workload)
  }

  /** Loads the adapter's script. */
  load() {
    return import(`/adapters/${this.adapter}/index.js`)
  }

  /** Loads the adapter and opens the database: all of it is part of what is measured. */
  async open() {
    const { open } = await this.load()
    return open()
  }

  /** Opens outside of what is measured, ready for questions. */
  async openReady() {
    const store = await this.open()
    await store.ready?.()
    return store
  }

  note(series, ms) {
    ;(this.times[series] ??= []).push(ms)
  }

  async time(series, work) {
    const { answer, ms } = await timed(work)
    this.note(series, ms)
    return answer
  }

  /**
   * Does `work(time)` until it was done `most` times, or `least` times and for so long; what is done with `time` is
   * measured, but not that of the first time.
   */
  async repeat(series, { least, most, enough_ms }, work) {
    let spent_ms = 0
    for (let turn = 0; turn <= most && (turn <= least || spent_ms < enough_ms); turn++) {
      await work(async measured => {
        const { answer, ms } = await timed(measured)
        spent_ms += ms
        if (turn) this.note(series, ms)
        return answer
      })
    }
  }

  /** What opens a database for this workload: `undefined`, and a note, where the adapter has none. */
  async opener(workload, name) {
    const adapter = await this.load()
    if (!adapter[name]) this.notes[workload] = adapter.without?.[workload] ?? 'it has no such thing'
    return adapter[name]
  }

  /** What a phase answers: times in milliseconds by series, other values, and notes on workloads that were left out. */
  get answer() {
    return { times: this.times, values: this.values, notes: this.notes }
  }
}

/** Documents in the batches that they are inserted in. */
export function batchesOf(documents) {
  const batches = []
  for (let from = 0; from < documents.length; from += SIZES.batch) batches.push(documents.slice(from, from + SIZES.batch))
  return batches
}
