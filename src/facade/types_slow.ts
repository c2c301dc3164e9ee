// Types of what a database says about its queries: which were slow, and which indexes they want.
//
// Not code: nothing of this file is left after compiling.

/** Queries that differ in values alone, of which some were slow. Counts and times are of those. */
export interface SlowQuery {
  collection: string
  /** Fields and operators as they were asked, `'?'` for values; the whole of it `'?'` where it is too large. */
  filter: Readonly<Record<string, unknown>> | '?'
  sort: [string, 1 | -1][]
  count: number
  totalMs: number
  /** The slowest of them. Times are those of finding: planning and reading, without what is done with the documents. */
  maxMs: number
  /** Keys that were passed, documents that were looked at, documents that were found. */
  keys: number
  documents: number
  returned: number
  /** How the last of them was answered: `'scan, filter'`, `'index site_ts, sort'`. */
  plan: string
  last: Date
}

/** An index that slow queries want. */
export interface IndexWanted {
  advice: 'create'
  collection: string
  /** As `createIndex` takes it. */
  index: { fields: string[] }
  reason: string
  /** The queries that it serves. */
  queries: SlowQuery[]
  /** What all of these cost together, and would cost with the index; units as of `explain`. */
  estimate: { now: number; then: number }
}

/** An index that no query used since the database was opened in this context. Nothing was asked elsewhere, or before, as far as this knows. */
export interface IndexUnused {
  advice: 'unused'
  collection: string
  /** Its name. */
  index: string
  reason: string
  sinceMs: number
}

/** What `advise` says. */
export type Advice = IndexWanted | IndexUnused
