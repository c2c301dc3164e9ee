// Slow queries and advice through the published package.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeReadings, openReadings, refuses } from './support/check.mjs'

const COUNT = 300

async function filled(t, config, count = COUNT) {
  const opened = await openReadings(t, { collections: { readings: { key: 'id', indexes: ['agent'] } }, ...config })
  await opened.readings.insertMany(makeReadings(count))
  return opened
}

test('a query beyond the threshold is told by its form, with what it read', async (t) => {
  const { db, readings } = await filled(t, { alertThresholds: { queryTime: 0 } })
  const before = Date.now()
  for (const city of ['c1', 'c2']) await readings.find({ 'place.city': city }).sort({ value: -1 }).toArray()
  await readings.countDocuments({ agent: 3 })
  const slow = await db.slowQueries()
  assert.deepEqual(slow.map(({ maxMs }) => maxMs), slow.map(({ maxMs }) => maxMs).sort((a, b) => b - a))
  const one = slow.find(({ filter }) => 'place.city' in filter)
  assert.deepEqual([one.collection, one.filter, one.sort, one.count], ['readings', { 'place.city': '?' }, [['value', -1]], 2])
  // Vectors tell which match: of the documents only those are read.
  assert.deepEqual([one.keys, one.documents, one.plan], [2 * COUNT, one.returned, 'scan, sort, filter'])
  assert.ok(one.totalMs >= one.maxMs && one.returned > 0 && one.last >= new Date(before))
  assert.equal(slow.find(({ filter }) => 'agent' in filter).plan, 'index agent')
})

test('what is quick is not remembered', async (t) => {
  const { db, readings } = await filled(t)
  await readings.find({ 'place.city': 'c1' }).toArray()
  assert.deepEqual(await db.slowQueries(), [])
  const unused = await db.advise()
  assert.ok(unused.length > 0 && unused.every(({ advice, reason, sinceMs }) => advice === 'unused' && /too short/u.test(reason) && sinceMs >= 0))
})

test('advice is an index that createIndex takes, and is followed then', async (t) => {
  const { db, readings } = await filled(t, { alertThresholds: { queryTime: 0 } }, 3000)
  for (const city of ['c1', 'c2', 'c3']) await readings.find({ 'place.city': city, value: { $gt: 3 } }).sort({ ts: -1 }).limit(5).toArray()
  const wanted = (await db.advise()).filter(({ advice }) => advice === 'create')
  assert.deepEqual(wanted.map(({ collection, index }) => [collection, index.fields]), [['readings', ['place.city', 'ts', 'value']]])
  const [{ estimate, queries, reason }] = wanted
  assert.ok(estimate.then * 2 <= estimate.now && queries[0].count === 3 && reason.length > 0)
  await readings.createIndex(wanted[0].index)
  assert.deepEqual((await db.advise()).filter(({ advice }) => advice === 'create'), [])
})

test('thresholds are checked, and those that are not there yet are refused', async (t) => {
  await refuses(() => openReadings(t, { alertThresholds: { queryTime: -1 } }), 'invalid', /queryTime/u)
  await refuses(() => openReadings(t, { alertThresholds: { querytime: 5 } }), 'invalid', /querytime/u)
  await refuses(() => openReadings(t, { alert_thresholds: { backup_age: 5 } }), 'unsupported', /backup_age/u)
  const { db, readings } = await filled(t, { alert_thresholds: { query_time: 0 } })
  await readings.find({ agent: 1 }).toArray()
  assert.equal((await db.slowQueries()).length, 1)
  await refuses(() => db.advise({ nope: 1 }), 'invalid', /nope/u)
})
