// Bad input, case by case: the right code, a hint, and nothing written.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memory, open } from 'hyphadb'
import { freshName, makeReadings, openReadings, refuses } from './support/check.mjs'

const cyclic = { id: 'x' }
cyclic.self = cyclic
const deep = (levels) => { let value = { id: 'x' }; for (let level = 1; level < levels; level++) value = { id: 'x', a: value }; return value }

const documents = {
  undefined: [undefined, 'invalid'],
  null: [null, 'invalid'],
  'a string': ['text', 'invalid'],
  'an array': [[{ id: 'x' }], 'invalid'],
  'a date': [new Date(), 'invalid'],
  'a Map': [new Map(), 'invalid'],
  'a class instance': [new (class Point { id = 'x' })(), 'invalid'],
  'a function inside': [{ id: 'x', f() {} }, 'invalid'],
  NaN: [{ id: 'x', n: NaN }, 'invalid'],
  'a cycle': [cyclic, 'invalid'],
  'undefined in an array': [{ id: 'x', a: [1, undefined] }, 'invalid'],
  'a lone surrogate': [{ id: 'x', s: '\ud800' }, 'invalid'],
  'a bigint beyond 64 bits': [{ id: 'x', n: 2n ** 64n }, 'invalid'],
  'an invalid date': [{ id: 'x', d: new Date(NaN) }, 'invalid'],
  'too deep': [deep(65), 'limit'],
  'too many fields': [Object.fromEntries([['id', 'x'], ...Array.from({ length: 10_001 }, (_, n) => [`f${n}`, n])]), 'limit'],
  'too large': [{ id: 'x', s: 'x'.repeat(17 * 1024 * 1024) }, 'limit'],
  'a field name that is too long': [{ id: 'x', ['f'.repeat(1025)]: 1 }, 'limit'],
  'a boolean key': [{ id: true }, 'invalid'],
  'a null key': [{ id: null }, 'invalid'],
  'an object as key': [{ id: { a: 1 } }, 'invalid'],
  'bytes as key': [{ id: new Uint8Array(4) }, 'invalid'],
  'a key that is too long': [{ id: 'x'.repeat(2000) }, 'limit'],
}

describe('documents', () => {
  for (const [name, [document, code]] of Object.entries(documents)) {
    test(name, async (t) => {
      const { db, readings } = await openReadings(t)
      const { seq } = await readings.insertOne({ id: 'there' })
      await refuses(readings.insertOne(document), code)
      await refuses(readings.put(document), code)
      await refuses(readings.insertMany([{ id: 'good' }, document]), code)
      await refuses(readings.bulkPut([{ id: 'good' }, document]), code)
      await refuses(readings.replaceOne({ id: 'there' }, document), code)
      await refuses(readings.bulkWrite([{ insertOne: { document: { id: 'good' } } }, { insertOne: { document } }]), code)
      await refuses(db.transaction(async (tx) => { await tx.collection('readings').insertOne({ id: 'good' }); await tx.collection('readings').insertOne(document) }), code)
      assert.deepEqual(await readings.find().toArray(), [{ id: 'there' }])
      assert.equal((await readings.insertOne({ id: 'next' })).seq, seq + 1)
    })
  }

  test('the deepest that is allowed is stored', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne(deep(64))
    assert.deepEqual(await readings.get('x'), deep(64))
    await readings.bulkWrite([{ replaceOne: { filter: { id: 'x' }, replacement: deep(64) } }])
  })
})

describe('keys', () => {
  for (const [name, key] of Object.entries({ undefined, null: null, true: true, 'an object': { a: 1 }, NaN, 'an invalid date': new Date(NaN), bytes: new Uint8Array(1), 'a tuple for a single key': ['a', 'b'] })) {
    test(name, async (t) => {
      const { readings } = await openReadings(t)
      await refuses(readings.get(key), 'invalid')
      await refuses(readings.bulkGet(['a', key]), 'invalid')
      await refuses(readings.bulkDelete([key]), 'invalid')
    })
  }

  test('lists that are none', async (t) => {
    const { readings } = await openReadings(t)
    await refuses(readings.bulkGet('a'), 'invalid', /keys are/)
    await refuses(readings.bulkDelete(undefined), 'invalid')
    await refuses(readings.insertMany({ id: 'a' }), 'invalid', /documents are/)
    await refuses(readings.bulkWrite({}), 'invalid', /operations are/)
  })
})

describe('requests', () => {
  const cases = {
    'a filter that is a string': (r) => r.find('x').toArray(),
    'a filter that is an array': (r) => r.findOne([]),
    'an operator in the wrong place': (r) => r.find({ $gt: 5 }).toArray(),
    'a filter with NaN': (r) => r.find({ n: { $gt: NaN } }).toArray(),
    'a path with an empty part': (r) => r.find({ 'a..b': 1 }).toArray(),
    '$in without an array': (r) => r.find({ n: { $in: 5 } }).toArray(),
    '$nor of nothing': (r) => r.find({ $nor: [] }).toArray(),
    '$not of a value': (r) => r.find({ n: { $not: 5 } }).toArray(),
    'an operator inside of a value': (r) => r.find({ n: { m: { $gt: 5 } } }).toArray(),
    'an operator where a string is meant': (r) => r.find({ text: { $eq: { $ne: '' } } }).toArray(),
    'a pattern that is none': (r) => r.find({ text: { $regex: '(' } }).toArray(),
    'a pattern with a flag that is none here': (r) => r.find({ text: /x/y }).toArray(),
    'a pattern as a value': (r) => r.find({ text: { $eq: /x/u } }).toArray(),
    'a pattern in a document': (r) => r.insertOne({ id: 'x', text: /x/u }),
    'a pattern to set': (r) => r.updateOne({}, { $set: { text: /x/u } }),
    '$mod by nothing': (r) => r.find({ n: { $mod: [0, 0] } }).toArray(),
    '$size of a fraction': (r) => r.find({ n: { $size: 0.5 } }).toArray(),
    'a type that there is not': (r) => r.find({ n: { $type: 'text' } }).toArray(),
    'no filter to delete by': (r) => r.deleteMany(),
    'an update without operators': (r) => r.updateOne({}, { n: 1 }),
    'no update': (r) => r.updateOne({}),
    'an empty update': (r) => r.updateMany({}, {}),
    '$inc of a string': (r) => r.updateOne({}, { $inc: { n: '1' } }),
    '$inc on a string': (r) => r.updateOne({ id: 'there' }, { $inc: { text: 1 } }),
    'two operators on one path': (r) => r.updateOne({}, { $set: { n: 1 }, $inc: { n: 1 } }),
    '$push to a number': (r) => r.updateOne({ id: 'there' }, { $push: { n: 1 } }),
    '$push with a word': (r) => r.updateOne({}, { $push: { a: { $each: [], $sort: 'up' } } }),
    'an element of what is no array': (r) => r.updateOne({ id: 'there' }, { $set: { 'n.$[]': 1 } }),
    'an element that no filter names': (r) => r.updateOne({}, { $set: { 'a.$[x]': 1 } }),
    'array filters that are no array': (r) => r.updateOne({}, { $set: { 'a.$[x]': 1 } }, { arrayFilters: { x: 1 } }),
    'an array filter that is not used': (r) => r.updateOne({}, { $set: { a: 1 } }, { arrayFilters: [{ x: 1 }] }),
    'an element that the filter asks nothing of': (r) => r.updateOne({ id: 'there' }, { $set: { 'a.$': 1 } }),
    '$rename into itself': (r) => r.updateOne({}, { $rename: { text: 'text.x' } }),
    'an update of the key': (r) => r.updateOne({}, { $rename: { id: 'x' } }),
    'a projection of findOneAndUpdate by true': (r) => r.findOneAndUpdate({}, { $inc: { n: 1 } }, { project: { n: true } }),
    'a sort by a word': (r) => r.find().sort({ n: 'asc' }).toArray(),
    'a negative skip': (r) => r.find().skip(-1).toArray(),
    'half a limit': (r) => r.find().limit(1.5).toArray(),
    'a projection by true': (r) => r.find().project({ n: true }).toArray(),
    'a projection of both kinds': (r) => r.find().project({ n: 1, m: 0 }).toArray(),
    'no columns': (r) => r.find().columns([]),
    'an unknown option': (r) => r.insertOne({ id: 'x' }, { durabilty: 'strict' }),
    'an unknown durability': (r) => r.insertOne({ id: 'x' }, { durability: 'maybe' }),
    'options that are no object': (r) => r.insertOne({ id: 'x' }, 'strict'),
    'a signal that is none': (r) => r.insertOne({ id: 'x' }, { signal: {} }),
    'an index over nothing': (r) => r.createIndex([]),
    'an index over a number': (r) => r.createIndex(5),
    'an index with an empty path': (r) => r.createIndex('a..b'),
    'an index with an unknown option': (r) => r.createIndex({ fields: 'a', uniqe: true }),
    'an index over too many fields': (r) => r.createIndex(Array.from({ length: 17 }, (_, n) => `f${n}`)),
    'an unknown operation': (r) => r.bulkWrite([{ insert: {} }]),
  }
  for (const [name, work] of Object.entries(cases)) {
    test(name, async (t) => {
      const { readings } = await openReadings(t)
      await readings.insertOne({ id: 'there', n: 1, text: 'x' })
      await refuses(async () => work(readings), 'invalid')
      assert.deepEqual(await readings.find().toArray(), [{ id: 'there', n: 1, text: 'x' }])
    })
  }

  test('operators that there are not are unsupported', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne({ id: 'a' })
    await refuses(readings.find({ $where: 'true' }).toArray(), 'unsupported', /`\$where`/u)
    await refuses(readings.find({ $or: [{ n: 1 }, { n: { $near: 1 } }] }).toArray(), 'unsupported', /`\$or\[1\]`: field `n`: .*`\$near`/u)
    await refuses(readings.find({ n: { $regex: '(?=x)' } }).toArray(), 'unsupported', /field `n`/u)
    await refuses(readings.updateOne({}, { $currentDate: { a: { $type: 'timestamp' } } }), 'unsupported')
  })

  test('what is too large is a limit that names the field', async (t) => {
    const { readings } = await openReadings(t)
    const deep = (depth) => (depth === 0 ? { n: 1 } : { $nor: [deep(depth - 1)] })
    await refuses(readings.find({ n: { $regex: 'x'.repeat(5000) } }).toArray(), 'limit', /field `n`/u)
    await refuses(readings.find({ n: { $regex: '(x{99}){99}' } }).toArray(), 'limit', /field `n`/u)
    await refuses(readings.find(deep(40)).toArray(), 'limit')
    await refuses(readings.find({ $or: Array.from({ length: 10_001 }, (_, n) => ({ n })) }).toArray(), 'limit')
    assert.deepEqual(await readings.find({ n: { $in: Array.from({ length: 20_000 }, (_, n) => n) } }).toArray(), [])
  })

  test('a collection that there is not', async (t) => {
    const { db } = await openReadings(t)
    await refuses(db.collection('nope').find().toArray(), 'not_found')
    await refuses(db.collection('nope').insertOne({ id: 1 }), 'not_found')
    await refuses(async () => db.collection(5), 'invalid')
  })
})

describe('opening', () => {
  test('the same name with another configuration', async (t) => {
    const name = freshName()
    const db = await open({ name, storage: memory(), collections: { a: { key: 'id' } } })
    t.after(() => db.close())
    await refuses(open({ name, storage: memory(), collections: { a: { key: 'other' } } }), 'invalid', /another configuration/)
    await refuses(open({ name, storage: memory(), durability: 'strict', collections: { a: { key: 'id' } } }), 'invalid')
    await db.collection('a').insertOne({ id: 'still works' })
  })

  test('indexes of one collection that cannot be', async () => {
    await refuses(open({ name: freshName(), storage: memory(), collections: { a: { indexes: ['a..b'] } } }), 'invalid')
    await refuses(open({ name: freshName(), storage: memory(), collections: { a: { key: '$a' } } }), 'invalid')
    await refuses(open({ name: freshName(), storage: memory(), collections: { a: { indexes: [{ name: 'x', fields: 'a' }, { name: 'x', fields: 'b' }] } } }), 'invalid')
  })

  test('names that are too long', async () => {
    await refuses(open({ name: 'x'.repeat(200), storage: memory() }), 'limit')
    await refuses(open({ name: freshName(), storage: memory(), collections: { ['x'.repeat(200)]: {} } }), 'limit')
  })

  test('after an opening that failed the name is free', async (t) => {
    const name = freshName()
    await refuses(open({ name, storage: memory(), collections: { a: { indexes: ['a..b'] } } }), 'invalid')
    const db = await open({ name, storage: memory(), collections: { a: {} } })
    t.after(() => db.close())
    await db.collection('a').insertOne({ n: 1 })
  })
})

describe('giving up before the commit', () => {
  const writes = {
    insertOne: (r, o) => r.insertOne({ id: 'x' }, o), insertMany: (r, o) => r.insertMany([{ id: 'x' }], o), put: (r, o) => r.put({ id: 'x' }, o), bulkPut: (r, o) => r.bulkPut([{ id: 'x' }], o),
    updateOne: (r, o) => r.updateOne({}, { $set: { n: 5 } }, o), updateMany: (r, o) => r.updateMany({}, { $set: { n: 5 } }, o), replaceOne: (r, o) => r.replaceOne({}, { n: 5 }, o),
    findOneAndUpdate: (r, o) => r.findOneAndUpdate({}, { $set: { n: 5 } }, o), deleteOne: (r, o) => r.deleteOne({}, o), deleteMany: (r, o) => r.deleteMany({}, o), bulkDelete: (r, o) => r.bulkDelete(['r00000'], o),
    bulkWrite: (r, o) => r.bulkWrite([{ deleteMany: { filter: {} } }], o), createIndex: (r, o) => r.createIndex('value', o),
  }
  for (const [name, write] of Object.entries(writes)) {
    test(`${name} has no effect`, async (t) => {
      const { readings } = await openReadings(t)
      await readings.insertMany(makeReadings(5))
      await refuses(write(readings, { signal: AbortSignal.abort() }), 'cancelled')
      await refuses(write(readings, { timeoutMs: 0 }), 'cancelled')
      assert.deepStrictEqual(await readings.find().toArray(), makeReadings(5))
      // With patience that lasts, it has.
      await write(readings, { timeoutMs: 10_000, signal: new AbortController().signal })
    })
  }

  const reads = {
    get: (r, o) => r.get('a', o), bulkGet: (r, o) => r.bulkGet(['a'], o), findOne: (r, o) => r.findOne({}, o), toArray: (r, o) => r.find().toArray(o), find: (r, o) => r.find({}, o).toArray(),
    first: (r, o) => r.find().first(o), count: (r, o) => r.find().count(o), keys: (r, o) => r.find().keys(o), columns: (r, o) => r.find().columns(['n'], o), explain: (r, o) => r.find().explain(o),
    countDocuments: (r, o) => r.countDocuments({}, o), distinct: (r, o) => r.distinct('n', {}, o), indexes: (r, o) => r.indexes(o), stats: (r, o) => r.stats(o),
  }
  for (const [name, read] of Object.entries(reads)) {
    test(`${name} says so`, async (t) => {
      const { readings } = await openReadings(t)
      await refuses(read(readings, { signal: AbortSignal.abort() }), 'cancelled')
      await refuses(async () => read(readings, { nonsense: 1 }), 'invalid', /`nonsense`/)
      await read(readings, { timeoutMs: 10_000, signal: new AbortController().signal })
    })
  }

  test('an abort during a write is either no effect and told, or done and told', async (t) => {
    const { readings } = await openReadings(t)
    for (let round = 0; round < 200; round++) {
      const controller = new AbortController()
      const write = readings.insertOne({ id: round }, { signal: controller.signal }).then(() => true, (error) => { assert.equal(error.code, 'cancelled'); return false })
      for (let turns = 0; turns < round % 7; turns++) await null
      controller.abort()
      assert.equal(await write, (await readings.get(round)) !== undefined)
    }
  })
})
