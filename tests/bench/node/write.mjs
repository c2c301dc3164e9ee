// What writing costs in JavaScript and wasm together, without IndexedDB: microseconds of processor time per document (the
// machine may be busy; collecting garbage counts), the least of several rounds.
//   npm run build && node tests/bench/node/write.mjs
// Not the benchmark of the product, which runs in a browser: the storage here is memory, so only ratios between the steps,
// and between two versions, say anything.
import { memory, open } from '../../../pkg/entry/node.js'
import { encodeRequest } from '../../../pkg/codec.js'

const BATCH = 1000
const BATCHES = 10
const ROUNDS = 8

let state = 1
const below = (max) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor((state / 2 ** 32) * max) }
const pick = (list) => list[below(list.length)]
const digits = (number, width) => String(number).padStart(width, '0')
const WORDS = ['pressure', 'rising', 'after', 'the', 'filter', 'was', 'changed', 'at', 'night']

/** A reading of about 209 bytes of JSON. */
const reading = (place) => ({
  id: digits(below(2 ** 32).toString(16), 8) + digits(below(2 ** 32).toString(16), 8), ts: 1.75e12 + place * 250,
  agent: `agent-${digits(below(200), 3)}`, site: `site-${digits(below(40), 2)}`, kind: pick(['temperature', 'humidity', 'power']),
  status: below(20) === 0 ? 'warn' : 'ok', value: below(10_000) / 100, unit: 'celsius',
  tags: Array.from({ length: 1 + below(3) }, () => pick(['indoor', 'edge', 'new', 'checked'])), note: Array.from({ length: 6 }, () => pick(WORDS)).join(' '),
})

const docs = Array.from({ length: BATCH * BATCHES }, (_, place) => reading(place))
const batches = Array.from({ length: BATCHES }, (_, batch) => docs.slice(batch * BATCH, (batch + 1) * BATCH))
const chosen = docs.filter((_, place) => place % BATCHES === 0)

const text = { type: 'string' }
/** All that can be said of a reading. */
const schema = {
  type: 'object', additionalProperties: false, required: ['id', 'ts', 'agent', 'site', 'kind', 'value'],
  properties: {
    id: { type: 'string', minLength: 8, maxLength: 32 }, ts: { type: 'number', minimum: 0 }, agent: text, site: text, kind: { enum: ['temperature', 'humidity', 'power'] },
    status: { enum: ['ok', 'warn'] }, value: { type: 'number', minimum: -1000, maximum: 1000 }, unit: text, tags: { type: 'array', items: text, maxItems: 8 }, note: { type: 'string', maxLength: 500 },
  },
}

let opened = 0
const fresh = async (more) => {
  const db = await open({ name: `write-${opened++}`, storage: memory(), collections: { readings: { key: 'id', indexes: ['agent', 'ts', ['site', 'ts']], ...more } } })
  return { db, readings: db.collection('readings') }
}
const full = async () => {
  const { db, readings } = await fresh()
  for (const batch of batches) await readings.insertMany(batch)
  return { db, readings }
}

async function step(name, count, prepare, work) {
  let least = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const prepared = await prepare()
    const before = process.cpuUsage()
    await work(prepared)
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, user + system)
    await prepared?.db.close()
  }
  console.log(`${name.padEnd(44)} ${(least / count).toFixed(2).padStart(8)} us`)
}

await step('encode a batch', BATCH, () => undefined, () => encodeRequest({ op: 'insert', docs: batches[0] }))
await step('insertMany', docs.length, fresh, async ({ readings }) => { for (const batch of batches) await readings.insertMany(batch) })
await step('insertMany, with a schema', docs.length, () => fresh({ schema }), async ({ readings }) => { for (const batch of batches) await readings.insertMany(batch) })
await step('insertOne, awaited', BATCH, fresh, async ({ readings }) => { for (const doc of chosen) await readings.insertOne(doc) })
await step('insertOne, together', BATCH, fresh, ({ readings }) => Promise.all(chosen.map((doc) => readings.insertOne(doc))))
await step('bulkWrite of updateOne', BATCH, full, ({ readings }) => readings.bulkWrite(chosen.map(({ id }) => ({ updateOne: { filter: { id }, update: { $set: { value: 5 } } } }))))
await step('updateMany by keys', BATCH, full, ({ readings }) => readings.updateMany({ id: { $in: chosen.map(({ id }) => id) } }, { $set: { value: 5 } }))
await step('bulkDelete', BATCH, full, ({ readings }) => readings.bulkDelete(chosen.map(({ id }) => id)))
