// What reading costs in Node, on data in memory: whole calls, and their shares in the engine and in decoding.
//
// `node tests/bench/node/read.mjs [part of a name]`, after `npm run build`. Not the benchmark of the product, which runs
// in a browser over IndexedDB.
import { memory, open } from '../../../pkg/entry/node.js'
import { measure } from './measure.mjs'

const COUNT = Number(process.env.COUNT ?? 100_000)
let state = 1
const random = below => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % 2 ** 31 / 2 ** 31 * below | 0
const hex = () => Array.from({ length: 3 }, () => (random(2 ** 31) >>> 0).toString(16).padStart(8, '0')).join('')
const pick = list => list[random(list.length)]

const readings = Array.from({ length: COUNT }, (_, place) => ({
  id: hex(), ts: 1_700_000_000_000 + place * 700, agent: `agent-${String(random(200)).padStart(3, '0')}`, site: `site-${String(random(40)).padStart(2, '0')}`,
  kind: pick(['temperature', 'humidity', 'pressure']), status: random(20) === 0 ? 'warn' : 'ok', value: random(100_000) / 1000, unit: pick(['C', '%', 'hPa']),
  tags: ['calibrated', 'raw', 'night', 'manual'].slice(random(3), 3 + random(2)), note: `reading ${place} of the day, nothing to see`,
}))

const db = await open({ name: 'bench', storage: memory(), cacheBytes: 256 * 2 ** 20, collections: { readings: { key: 'id', indexes: ['agent', 'ts', ['site', 'ts']] } } })
const collection = db.collection('readings')
for (let start = 0; start < COUNT; start += 1000) await collection.insertMany(readings.slice(start, start + 1000))
await new Promise(resolve => setTimeout(resolve, Number(process.env.SETTLE_MS ?? 3000)))

const id = () => pick(readings).id
const agent = () => `agent-${String(random(200)).padStart(3, '0')}`
const site = () => `site-${String(random(40)).padStart(2, '0')}`
const range = () => {
  const start = 1_700_000_000_000 + random(COUNT - 1000) * 700
  return { ts: { $gte: start, $lt: start + 1000 * 700 } }
}
await measure('get', 20_000, () => collection.get(id()))
await measure('bulk_get_1000', 300, () => collection.bulkGet(Array.from({ length: 1000 }, id)))
await measure('agent_sort_ts_50', 500, () => collection.find({ agent: agent() }).sort({ ts: -1 }).limit(50).toArray())
await measure('site_sort_ts_50', 2000, () => collection.find({ site: site() }).sort({ ts: -1 }).limit(50).toArray())
await measure('range_1000', 500, () => collection.find(range()).toArray())
await measure('range_1000_keys', 300, () => collection.find(range()).keys())
await measure('range_1000_count', 300, () => collection.find(range()).count())
await measure('range_1000_columns', 300, () => collection.find(range()).columns(['ts', 'value', 'site']))
await measure('count_all', 20, () => collection.countDocuments({}))
await measure('scan_warn', 10, () => collection.find({ status: 'warn', value: { $gt: 5 } }).toArray())
await measure('all', 5, () => collection.find().toArray())
await db.close()
