// Queries through the published package: the same answers as a plain look at every document.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { makeReadings, openReadings, refuses } from './support/check.mjs'

const COUNT = 300
const docs = makeReadings(COUNT)

async function filled(t) {
  const opened = await openReadings(t)
  await opened.readings.insertMany(docs)
  return opened
}

describe('find', () => {
  const cases = [
    ['nothing asked', {}, () => true],
    ['by key', { id: 'r00007' }, (d) => d.id === 'r00007'],
    ['a range of keys', { id: { $gte: 'r00007', $lt: 'r00012' } }, (d) => d.id >= 'r00007' && d.id < 'r00012'],
    ['several keys', { id: { $in: ['r00003', 'r00001', 'zzz'] } }, (d) => ['r00001', 'r00003'].includes(d.id)],
    ['by index', { agent: 3 }, (d) => d.agent === 3],
    ['a range of an index', { ts: { $gt: docs[10].ts, $lte: docs[20].ts } }, (d) => d.ts > docs[10].ts && d.ts <= docs[20].ts],
    ['by a compound index', { site: 'north', ts: { $gte: docs[100].ts } }, (d) => d.site === 'north' && d.ts >= docs[100].ts],
    ['by an element', { tags: 't1' }, (d) => d.tags.includes('t1')],
    ['by a path', { 'place.city': 'c4' }, (d) => d.place.city === 'c4'],
    ['without an index', { value: { $lt: 5 } }, (d) => d.value < 5],
    ['a bigint', { total: { $gte: 100n, $lt: 200n } }, (d) => d.total >= 100n && d.total < 200n],
    ['null', { nothing: null }, () => true],
    ['what is not there', { nope: { $exists: false } }, () => true],
    ['not equal', { site: { $ne: 'north' } }, (d) => d.site !== 'north'],
    ['none of', { agent: { $nin: [1, 2, 3] } }, (d) => ![1, 2, 3].includes(d.agent)],
    ['both', { $and: [{ agent: 3 }, { site: 'south' }] }, (d) => d.agent === 3 && d.site === 'south'],
    ['either', { $or: [{ agent: 3 }, { site: 'south' }] }, (d) => d.agent === 3 || d.site === 'south'],
    ['neither', { $nor: [{ agent: 3 }, { site: 'south' }] }, (d) => d.agent !== 3 && d.site !== 'south'],
    ['not', { agent: { $not: { $gt: 3 } } }, (d) => d.agent <= 3],
    ['a pattern', { 'place.city': /^C1/i }, (d) => /^c1/u.test(d.place.city)],
    ['a pattern as text', { site: { $regex: 'ou', $options: 's' } }, (d) => d.site === 'south'],
    ['a pattern with other options', { site: { $regex: /OU/, $options: 'i' } }, (d) => d.site === 'south'],
    ['patterns in a list', { 'place.city': { $in: ['c3', /^c1$/u] } }, (d) => ['c1', 'c3'].includes(d.place.city)],
    ['no pattern of a list', { 'place.city': { $nin: [/1/u, 'c2'] }, site: { $not: /^s/u } }, (d) => !/1|2/u.test(d.place.city) && d.site === 'north'],
    ['a type', { total: { $type: 'long' }, value: { $type: 'int' } }, (d) => Number.isInteger(d.value)],
    ['a size', { tags: { $size: 2 } }, () => true],
    ['all of some', { tags: { $all: ['t1', /^u3/u] } }, (d) => d.tags.includes('t1') && d.tags.includes('u3')],
    ['one element', { tags: { $elemMatch: { $gt: 't1', $lt: 'u2' } } }, (d) => d.tags.some((tag) => tag > 't1' && tag < 'u2')],
    ['a remainder', { agent: { $mod: [3, 1] } }, (d) => d.agent % 3 === 1],
    ['nothing that is there', { agent: 99 }, () => false],
  ]
  for (const [name, filter, matches] of cases) {
    test(name, async (t) => {
      const { readings } = await filled(t)
      const expected = docs.filter(matches)
      const found = await readings.find(filter).sort({ id: 1 }).toArray()
      assert.deepStrictEqual(found, expected)
      assert.equal(await readings.find(filter).count(), expected.length)
      assert.equal(await readings.countDocuments(filter), expected.length)
      assert.deepEqual((await readings.find(filter).keys()).sort(), expected.map((doc) => doc.id))
    })
  }

  test('sort, skip and limit, both ways, by several fields', async (t) => {
    const { readings } = await filled(t)
    const expected = [...docs].sort((a, b) => a.agent - b.agent || b.ts - a.ts)
    assert.deepStrictEqual(await readings.find().sort({ agent: 1, ts: -1 }).skip(10).limit(25).toArray(), expected.slice(10, 35))
    assert.deepStrictEqual(await readings.find().sort([['ts', -1]]).limit(3).toArray(), docs.slice(-3).reverse())
    assert.deepEqual(await readings.find().sort({ id: -1 }).limit(2).keys(), ['r00299', 'r00298'])
    assert.deepEqual(await readings.find().skip(COUNT).toArray(), [])
    assert.equal((await readings.find({ site: 'north' }).sort({ ts: -1 }).first()).id, 'r00299')
    assert.equal(await readings.find({ agent: 99 }).first(), undefined)
  })

  test('findOne, with sort and projection', async (t) => {
    const { readings } = await filled(t)
    assert.equal((await readings.findOne({ agent: 3 })).agent, 3)
    assert.deepEqual(await readings.findOne({}, { sort: { ts: -1 }, project: { agent: 1 } }), { id: 'r00299', agent: 299 % 7 })
    assert.equal(await readings.findOne({ agent: 99 }), undefined)
  })

  test('project keeps fields, or leaves them out', async (t) => {
    const { readings } = await filled(t)
    assert.deepStrictEqual(await readings.find({ id: 'r00005' }).project({ id: 1, 'place.city': 1 }).toArray(), [{ id: 'r00005', place: { city: 'c5' } }])
    assert.deepStrictEqual(await readings.find({ id: 'r00005' }).project({ id: 0, agent: 1 }).toArray(), [{ agent: 5 }])
    const { raw, place, ...rest } = docs[5]
    assert.deepStrictEqual(await readings.find({ id: 'r00005' }).project({ raw: 0, place: 0 }).first(), rest)
    assert.ok(raw && place)
  })

  test('columns: numbers as a typed array, the rest as lists, null where absent', async (t) => {
    const { readings } = await filled(t)
    const columns = await readings.find({ id: { $lt: 'r00004' } }).sort({ id: 1 }).columns(['value', 'ts', 'nope', 'place.city'])
    assert.deepEqual(Object.keys(columns), ['value', 'ts', 'nope', 'place.city'])
    assert.ok(columns.value instanceof Float64Array)
    assert.deepEqual([...columns.value], [0, 0.25, 0.5, 0.75])
    assert.deepStrictEqual(columns.ts, docs.slice(0, 4).map((doc) => doc.ts))
    assert.deepEqual(columns.nope, [null, null, null, null])
    assert.deepEqual(columns['place.city'], ['c0', 'c1', 'c2', 'c3'])
  })

  test('fields compared with each other', async (t) => {
    const { readings } = await filled(t)
    const filter = { $expr: { $gt: ['$agent', '$value'] }, 'place.city': /^c/u }
    assert.equal(await readings.countDocuments(filter), docs.filter((doc) => doc.agent > doc.value).length)
    const pipeline = [{ $match: { 'place.city': /^C1$/i } }, { $facet: { all: [{ $match: { site: /^n/u } }, { $count: 'n' }] } }]
    const north = docs.filter((doc) => doc.place.city === 'c1' && doc.site === 'north')
    assert.deepEqual(await readings.aggregate(pipeline).toArray(), [{ all: [{ n: north.length }] }])
  })

  test('distinct', async (t) => {
    const { readings } = await filled(t)
    assert.deepEqual((await readings.distinct('site')).sort(), ['north', 'south'])
    assert.deepEqual((await readings.distinct('tags', { agent: 1 })).sort(), ['t0', 't1', 't2', 'u0', 'u1', 'u2', 'u3', 'u4'])
  })
})

describe('cursors', () => {
  test('are lazy, are no promises, and are not changed by their methods', async (t) => {
    const { db, readings } = await filled(t)
    const cursor = readings.find({ agent: 3 })
    assert.equal(await cursor, cursor)
    assert.equal(cursor.then, undefined)
    cursor.limit(1)
    assert.equal((await cursor.toArray()).length, docs.filter((doc) => doc.agent === 3).length)
    const never = db.collection('no_such_collection').find({ $nonsense: 1 })
    assert.ok(never)
  })

  test('iterate over everything, in order', async (t) => {
    const { readings } = await filled(t)
    const seen = []
    for await (const doc of readings.find().sort({ ts: -1 })) seen.push(doc)
    assert.deepStrictEqual(seen, [...docs].reverse())
  })

  test('an iteration sees one state', async (t) => {
    const { readings } = await filled(t)
    let count = 0
    for await (const doc of readings.find()) {
      if (count++ === 0) await readings.deleteMany({})
      assert.ok(doc.id)
    }
    assert.equal(count, COUNT)
    assert.equal(await readings.countDocuments(), 0)
  })

  test('an iteration that is left early, or fails, does no harm', async (t) => {
    const { readings } = await filled(t)
    for (let round = 0; round < 50; round++) {
      for await (const doc of readings.find()) {
        assert.ok(doc)
        break
      }
    }
    await assert.rejects(async () => { for await (const doc of readings.find()) throw new Error(doc.id) }, /r00000/)
    assert.equal(await readings.countDocuments(), COUNT)
  })

  test('an iteration over nothing', async (t) => {
    const { readings } = await openReadings(t)
    for await (const doc of readings.find()) assert.fail(doc)
  })

  test('an aborted iteration says so', async (t) => {
    const { readings } = await filled(t)
    const controller = new AbortController()
    await refuses(async () => { for await (const doc of readings.find({}, { signal: controller.signal })) { assert.ok(doc); controller.abort() } }, 'cancelled')
  })
})

describe('explain', () => {
  test('tells which way a query goes', async (t) => {
    const { readings } = await filled(t)
    assert.equal((await readings.find({ id: 'r00001' }).explain()).plan, 'key')
    assert.equal((await readings.find({ id: { $gt: 'r00001' } }).explain()).plan, 'primary')
    const compound = await readings.find({ site: 'north', ts: { $gt: new Date(0) } }).sort({ ts: 1 }).limit(10).explain()
    assert.deepEqual([compound.plan, compound.index, compound.sorted], ['index', 'site_ts', true])
    const scan = await readings.find({ value: 5 }).explain()
    assert.deepEqual([scan.plan, scan.residual], ['scan', true])
    assert.deepEqual([scan.tree.stage, scan.tree.input.stage, scan.execution], ['filter', 'scan', undefined])
  })
})

describe('explain with execution', () => {
  test('tells what was read', async (t) => {
    const { readings } = await filled(t)
    const { execution, alternatives } = await readings.find({ site: 'north', value: { $gte: 0 } }).sort({ ts: -1 }).limit(3).explain('executionStats')
    assert.equal(execution.returned, 3)
    assert.ok(execution.keys >= 3 && execution.documents >= 3 && execution.timeMs >= 0)
    assert.ok(alternatives.some((other) => other.plan === 'scan' && other.because.length > 0))
    await refuses(async () => readings.find().explain('everything'), 'invalid', /queryPlanner|everything/)
  })
})

describe('indexes', () => {
  test('made on existing data, with progress, then used, then dropped', async (t) => {
    const { readings } = await filled(t)
    const progress = []
    const name = await readings.createIndex(['value', 'agent'], { onProgress: (step) => progress.push(step) })
    assert.ok(progress.length > 0)
    assert.equal(progress.at(-1).done, progress.at(-1).total)
    const info = (await readings.indexes()).find((index) => index.name === name)
    assert.deepEqual([info.fields, info.unique, info.sparse, info.state], [['value', 'agent'], false, false, 'ready'])
    assert.equal((await readings.find({ value: 5 }).explain()).index, name)
    assert.equal((await readings.find({ value: 5 }).toArray()).length, 1)
    await readings.dropIndex(name)
    assert.equal((await readings.find({ value: 5 }).explain()).plan, 'scan')
    assert.equal((await readings.find({ value: 5 }).toArray()).length, 1)
    await refuses(readings.dropIndex(name), 'not_found')
  })

  test('a unique index over values that are there twice is refused, and not left behind', async (t) => {
    const { readings } = await filled(t)
    await refuses(readings.createIndex({ fields: 'agent', unique: true, name: 'one_agent' }), 'already_exists')
    assert.ok(!(await readings.indexes()).some((index) => index.name === 'one_agent'))
    await readings.insertOne({ id: 'more', agent: 1 })
  })

  test('an aborted index is not left behind', async (t) => {
    const { readings } = await filled(t)
    await refuses(readings.createIndex('value', { signal: AbortSignal.abort() }), 'cancelled')
    assert.ok(!(await readings.indexes()).some((index) => index.fields[0] === 'value'))
  })

  test('a sparse unique index lets those pass that have no value', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertMany([{ id: 'a' }, { id: 'b' }, { id: 'c', serial: 's' }])
    await refuses(readings.insertOne({ id: 'd', serial: 's' }), 'already_exists')
  })

  test('the array index is told as such', async (t) => {
    const { readings } = await filled(t)
    assert.equal((await readings.indexes()).find((index) => index.fields[0] === 'tags').multi, true)
  })

  test('stats count documents', async (t) => {
    const { db, readings } = await filled(t)
    assert.equal((await readings.stats()).documents, COUNT)
    assert.ok((await readings.stats()).bytes > 0)
    assert.equal((await db.stats()).documents, COUNT)
    assert.deepEqual((await db.collections()).map(({ name, key }) => [name, key]), [['readings', 'id']])
  })
})
