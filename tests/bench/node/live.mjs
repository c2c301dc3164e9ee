// Live queries in Node: from an insert to the callback, against an insert alone.
//   node tests/bench/node/live.mjs [inserts]
// One database in memory for each count of subscriptions; blocks of inserts take turns, so that the machine's noise meets
// all alike. Subscriptions ask for one agent each, newest first; the inserted document is of the first.
import { memory, open } from '../../../pkg/entry/node.js'

const INSERTS = Number(process.argv[2] ?? 2000)
const BLOCK = 100
const COUNTS = [0, 1, 100, 10_000]

async function prepare(count) {
  const db = await open({ name: `live-${count}`, storage: memory(), collections: { readings: { key: 'id', indexes: [['agent', 'ts']] } } })
  const readings = db.collection('readings')
  await readings.insertMany(Array.from({ length: 10_000 }, (_, n) => ({ id: `r${n}`, agent: n % 1000, ts: n, value: n / 4 })))
  const made = { db, readings, n: 10_000, told: () => undefined, times: [], isFollowed: count > 0 }
  for (let agent = 0; agent < count; agent++) {
    let isFirst = true
    await new Promise(resolve => readings.find({ agent }).sort({ ts: -1 }).limit(20).subscribe(() => {
      if (!isFirst) return made.told()
      isFirst = false
      resolve()
    }))
  }
  return made
}

async function block(made) {
  for (let turn = 0; turn < BLOCK; turn++) {
    const n = made.n++
    const document = { id: `r${n}`, agent: 0, ts: n, value: n / 4 }
    const start = performance.now()
    const told = made.isFollowed ? new Promise(resolve => { made.told = () => resolve(performance.now()) }) : undefined
    const inserted = made.readings.insertOne(document)
    const end = told === undefined ? (await inserted, performance.now()) : await told
    made.times.push((end - start) * 1000)
    await inserted
  }
}

const all = []
for (const count of COUNTS) all.push(await prepare(count))
for (const made of all) await block(made)
for (const made of all) made.times.length = 0
for (let done = 0; done < INSERTS; done += BLOCK) for (const made of all) await block(made)
const p50 = times => times.toSorted((a, b) => a - b)[times.length >> 1]
const bare = p50(all[0].times)
all.forEach((made, place) => console.log(`${COUNTS[place]} subscriptions: p50 ${p50(made.times).toFixed(1)} us, ${(p50(made.times) / bare).toFixed(2)}`))
for (const { db } of all) await db.close()
