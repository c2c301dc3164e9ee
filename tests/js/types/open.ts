// Types of open, collections, options.
import { HyphaError, deleteDatabase, memory, open, type Advice, type Collection, type Database, type ErrorCode, type Insertable, type SlowQuery } from 'hyphadb'
import { db, expect, type Reading, type Same, type Schema } from './data.js'

const typed = await open<Schema>({
  name: 'a',
  storage: memory(),
  durability: 'strict',
  collections: {
    readings: { key: 'id', indexes: ['agent', ['site', 'ts'], 'place.city', { fields: ['total'], unique: true, sparse: true }] },
    trees: { key: ['id', 'label'] },
  },
})
expect<Same<typeof typed, Database<Schema>>>()
const readings = typed.collection('readings')
expect<Same<typeof readings, Collection<Reading>>>()

// What is slow, and what would help.
const [slow] = await typed.slowQueries({ timeoutMs: 100 })
expect<Same<typeof slow, SlowQuery | undefined>>()
for (const advice of await typed.advise()) {
  expect<Same<typeof advice, Advice>>()
  if (advice.advice === 'create') await typed.collection('readings').createIndex(advice.index as { fields: ['site'] })
  else advice.sinceMs satisfies number
  // @ts-expect-error only where an index is wanted
  advice.estimate
}
await open({ name: 'a', alertThresholds: { queryTime: 250 } })
await open({ name: 'a', alert_thresholds: { query_time: 250 } })
// @ts-expect-error no such threshold
await open({ name: 'a', alertThresholds: { querytime: 250 } })

// Names come from the configuration when no type is given.
const named = await open({ name: 'a', collections: { a: { key: 'id' }, b: {} } })
const a = named.collection('a')
await a.insertOne({ anything: 1 })
const byHand = named.collection<Reading>('b')
expect<Same<typeof byHand, Collection<Reading>>>()
// @ts-expect-error no such collection
named.collection('c')

const loose = await open({ name: 'a' })
expect<Same<Awaited<ReturnType<Collection<Reading>['get']>>, Reading | undefined>>()
loose satisfies Database<any>

await open<Schema>({
  name: 'a',
  collections: {
    // @ts-expect-error no such field
    readings: { indexes: ['agnt'] },
    trees: {},
  },
})
await open<Schema>({
  name: 'a',
  collections: {
    // @ts-expect-error no such field for a key
    readings: { key: 'identity' },
    trees: {},
  },
})
// @ts-expect-error a collection is missing
await open<Schema>({ name: 'a', collections: { readings: {} } })
// @ts-expect-error there is no name
await open({ storage: memory() })
// @ts-expect-error not a durability
await open({ name: 'a', durability: 'sometimes' })
// @ts-expect-error not an option
await open({ name: 'a', durabilty: 'strict' })
// @ts-expect-error memory is a function
await open({ name: 'a', storage: memory })
await open({ name: 'a', thread: 'worker' })
await open({ name: 'a', thread: 'inline' })
await open({ name: 'a', thread: { worker: '/assets/worker.js' } })
await open({ name: 'a', thread: { worker: new URL('./worker.js', import.meta.url) } })
await open({ name: 'a', thread: { worker: () => new Worker('/assets/worker.js', { type: 'module' }) } })
// @ts-expect-error not a thread
await open({ name: 'a', thread: 'main' })
// @ts-expect-error not a worker
await open({ name: 'a', thread: { worker: () => new Blob() } })

// @ts-expect-error no such collection
db.collection('reading')
// @ts-expect-error an event that there is not
db.on('changes', () => undefined)
db.on('change', ({ seq, own, changes }) => { seq satisfies number; own satisfies boolean; changes.map(({ kind, key, collection }) => [kind, key, collection]) })
db.on('storage', ({ type }) => { if (type === 'deleted') location.reload() })
const off: () => void = db.on('change', () => undefined)
off()

await db.transaction(async (tx) => {
  const inside = tx.collection('readings')
  await inside.updateOne({ id: 'a' }, { $inc: { agent: 1 } })
  // @ts-expect-error indexes are made outside
  await inside.createIndex('agent')
  // @ts-expect-error no such collection
  tx.collection('nope')
  return 5
}, { retry: 3, durability: 'strict', signal: AbortSignal.timeout(5), timeoutMs: 5 }) satisfies number
// @ts-expect-error not an option
await db.transaction(async () => undefined, { retries: 3 })

await deleteDatabase('a', { timeoutMs: 5 })
await db.close()
{
  await using disposed = db
  disposed.name satisfies string
}

const error = new HyphaError('invalid', 'x')
error.code satisfies ErrorCode
error.retryable satisfies boolean
error.hint satisfies string
// @ts-expect-error no such code
if (error.code === 'oops') throw error

// `id` may be left out, nothing else.
const insertable: Insertable<Reading> = { agent: 1, ts: new Date(), site: 'north', value: null, total: 1n, tags: [], place: { city: 'x' }, items: [] }
insertable satisfies object
