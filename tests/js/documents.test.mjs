// Reading and writing documents, through the published package, in memory.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { makeReadings, openReadings, refuses } from './support/check.mjs'

const ids = (docs) => docs.map((doc) => doc?.id)

describe('inserting', () => {
  test('an acknowledged document is there, exactly', async (t) => {
    const { readings } = await openReadings(t)
    const doc = { ...makeReadings(6)[5], minusZero: -0, big: -(2n ** 63n), deep: [[{ a: [new Date(0)] }]], ...JSON.parse('{"__proto__":{"x":1}}'), empty: '', bom: '\ufeff' }
    Object.defineProperty(doc, '__proto__', { value: { x: 1 }, enumerable: true })
    const result = await readings.insertOne(doc)
    assert.equal(result.insertedId, doc.id)
    assert.equal(result.durability, 'relaxed')
    assert.ok(Number.isSafeInteger(result.seq) && result.seq > 0)
    const back = await readings.get(doc.id)
    assert.deepStrictEqual(back, doc)
    assert.ok(Object.is(back.minusZero, -0))
    assert.deepEqual(Object.keys(back), Object.keys(doc))
    assert.equal({}.x, undefined)
  })

  test('a document without its key gets a UUIDv7, and they sort by time', async (t) => {
    const { readings } = await openReadings(t)
    const first = await readings.insertOne({ agent: 1 })
    const { insertedIds } = await readings.insertMany([{ agent: 2 }, { agent: 3 }])
    for (const id of [first.insertedId, ...insertedIds]) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u)
    assert.ok(first.insertedId < insertedIds[0])
    assert.equal((await readings.get(insertedIds[0])).agent, 2)
    assert.equal((await readings.get(insertedIds[0])).id, insertedIds[0])
  })

  test('strict is said to be strict', async (t) => {
    const { readings } = await openReadings(t)
    assert.equal((await readings.insertOne({ id: 'a' }, { durability: 'strict' })).durability, 'strict')
  })

  test('a taken key, and a taken unique value, are refused and name what is taken', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne({ id: 'a', serial: 's' })
    const key = await refuses(readings.insertOne({ id: 'a' }), 'already_exists')
    assert.deepEqual(key.details, { collection: 'readings', index: 'primary', key: 'a' })
    const unique = await refuses(readings.insertOne({ id: 'b', serial: 's' }), 'already_exists')
    assert.deepEqual(unique.details, { collection: 'readings', index: 'by_serial', key: 'a', value: 's' })
    assert.equal(await readings.countDocuments(), 1)
  })

  test('what is taken is named exactly, whatever type it has', async (t) => {
    const { readings } = await openReadings(t)
    for (const id of [1.2345678901234e-7, -0.5, 12345678901234567890n % 2n ** 62n, new Date(86_400_123), 'x'.repeat(200)]) {
      await readings.insertOne({ id, serial: id })
      assert.deepEqual((await refuses(readings.insertOne({ id }), 'already_exists')).details.key, id)
      assert.deepEqual((await refuses(readings.insertOne({ serial: id }), 'already_exists')).details.value, id)
    }
  })

  test('insertMany is all or none', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne({ id: 'b' })
    await refuses(readings.insertMany([{ id: 'a' }, { id: 'b' }, { id: 'c' }]), 'already_exists')
    assert.deepEqual(await readings.find().keys(), ['b'])
  })

  test('insertMany unordered writes what it can and tells the rest', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne({ id: 'b' })
    const result = await readings.insertMany([{ id: 'a' }, { id: 'b' }, { id: 'c' }], { ordered: false })
    assert.deepEqual(result.insertedIds, ['a', null, 'c'])
    assert.deepEqual(result.writeErrors.map(({ index, code }) => [index, code]), [[1, 'already_exists']])
    assert.deepEqual(await readings.find().keys(), ['a', 'b', 'c'])
  })

  test('nothing inserted is no error', async (t) => {
    const { readings } = await openReadings(t)
    assert.deepEqual((await readings.insertMany([])).insertedIds, [])
  })

  test('1,000 concurrent inserts all arrive', async (t) => {
    const { readings } = await openReadings(t)
    const docs = makeReadings(1000)
    const results = await Promise.all(docs.map((doc) => readings.insertOne(doc)))
    assert.deepEqual(results.map(({ insertedId }) => insertedId), ids(docs))
    assert.equal(await readings.countDocuments(), 1000)
    assert.deepStrictEqual(await readings.bulkGet(ids(docs)), docs)
  })

  test('of inserts that are started together each has an outcome of its own', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne({ id: 'taken', serial: 's' })
    const alone = await readings.insertOne({ id: 'taken' }).catch((error) => error)
    const getter = { id: 'g', get value() { void readings.insertOne({ id: 'inner' }); return 1 } }
    const thrower = { id: 't', get value() { throw new Error('mine') } }
    const given = [{ id: 'a' }, { id: 'taken' }, { id: 'x', text: '\ud800' }, { id: 'b', text: 'é'.repeat(9) }, [], getter, thrower, { id: 'a' }, { agent: 1 }, { id: 'u', serial: 's' }]
    const results = await Promise.allSettled(given.map((doc) => readings.insertOne(doc)))
    assert.deepEqual(results.map(({ value, reason }) => reason?.code ?? typeof value.insertedId),
      ['string', 'already_exists', 'invalid', 'string', 'invalid', 'string', 'invalid', 'already_exists', 'string', 'already_exists'])
    assert.deepEqual(results[1].reason.toJSON(), alone.toJSON())
    assert.equal(results[6].reason.cause.message, 'mine')
    assert.match(JSON.stringify(results[9].reason.details), /by_serial/u)
    assert.deepEqual(await readings.find({ id: { $lt: 'h' } }).keys(), [results[8].value.insertedId, 'a', 'b', 'g'].sort())
    assert.deepEqual(await readings.get('b'), { id: 'b', text: 'é'.repeat(9) })
    assert.deepEqual(await readings.get('inner'), { id: 'inner' })
  })

  test('an insert takes the document as it is at the call, and other writes do not overtake it', async (t) => {
    const { readings } = await openReadings(t)
    const doc = { id: 'a', n: 1 }
    const writes = [readings.insertOne(doc), readings.insertOne({ id: 'b', n: 1 })]
    doc.n = 2
    writes.push(readings.put({ id: 'b', n: 3 }), readings.insertOne({ id: 'c' }, { durability: 'strict' }), readings.insertOne({ id: 'd' }))
    const results = await Promise.all(writes)
    assert.deepEqual(await readings.bulkGet(['a', 'b']), [{ id: 'a', n: 1 }, { id: 'b', n: 3 }])
    assert.equal(results[3].durability, 'strict')
    assert.deepEqual(await readings.find().keys(), ['a', 'b', 'c', 'd'])
  })
})

describe('keys', () => {
  for (const [name, keys] of Object.entries({
    strings: ['', 'a', 'zz', 'é'], numbers: [-5, -0.5, 0, 1, 2 ** 40], bigints: [-5n, 0n, 2n ** 62n], dates: [new Date(-1), new Date(0), new Date(5)],
  })) {
    test(`${name} are keys and sort as they should`, async (t) => {
      const { readings } = await openReadings(t)
      await readings.insertMany([...keys].reverse().map((id) => ({ id })))
      assert.deepStrictEqual(await readings.find().keys(), keys)
      assert.deepStrictEqual(await readings.get(keys[1]), { id: keys[1] })
    })
  }

  test('compound keys are tuples', async (t) => {
    const { db } = await openReadings(t, { collections: { parts: { key: ['site', 'n'] } } })
    const parts = db.collection('parts')
    await parts.insertMany([{ site: 'b', n: 1 }, { site: 'a', n: 2 }, { site: 'a', n: 1, extra: true }])
    assert.deepEqual(await parts.find().keys(), [['a', 1], ['a', 2], ['b', 1]])
    assert.deepEqual(await parts.get(['a', 1]), { site: 'a', n: 1, extra: true })
    assert.deepEqual(await parts.find({ site: 'a', n: { $gt: 1 } }).keys(), [['a', 2]])
    await refuses(parts.insertOne({ site: 'a' }), 'invalid')
  })
})

describe('get and put', () => {
  test('absent is undefined', async (t) => {
    const { readings } = await openReadings(t)
    assert.equal(await readings.get('a'), undefined)
    await readings.insertOne({ id: 'a' })
    assert.deepEqual(ids(await readings.bulkGet(['x', 'a', 'y'])), [undefined, 'a', undefined])
    assert.deepEqual(await readings.bulkGet([]), [])
  })

  test('put adds, then replaces, and moves index entries along', async (t) => {
    const { readings } = await openReadings(t)
    const { key, seq } = await readings.put({ id: 'a', agent: 1 })
    assert.equal(key, 'a')
    const again = await readings.put({ id: 'a', agent: 2 })
    assert.ok(again.seq > seq)
    assert.deepEqual(await readings.find({ agent: 1 }).toArray(), [])
    assert.deepEqual(await readings.find({ agent: 2 }).toArray(), [{ id: 'a', agent: 2 }])
    assert.deepEqual((await readings.bulkPut([{ id: 'a' }, { id: 'b' }])).keys, ['a', 'b'])
    assert.equal(await readings.countDocuments(), 2)
  })
})

describe('updating', () => {
  test('$set, $unset and $inc, on paths', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne({ id: 'a', n: 1, big: 5n, old: true, place: { city: 'x' }, items: [{ price: 1 }] })
    const result = await readings.updateOne({ id: 'a' }, { $set: { 'place.city': 'y', 'new.deep': 1, 'items.0.price': 2 }, $unset: { old: true }, $inc: { n: 2, big: 1n, fresh: 1 } })
    assert.deepEqual([result.matchedCount, result.modifiedCount], [1, 1])
    assert.ok(result.seq > 0 && result.durability === 'relaxed')
    assert.deepStrictEqual(await readings.get('a'), { id: 'a', n: 3, big: 6n, place: { city: 'y' }, items: [{ price: 2 }], new: { deep: 1 }, fresh: 1 })
  })

  test('matched but not modified', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne({ id: 'a', n: 1 })
    const { matchedCount, modifiedCount } = await readings.updateOne({ id: 'a' }, { $set: { n: 1 } })
    assert.deepEqual([matchedCount, modifiedCount], [1, 0])
    assert.equal((await readings.updateOne({ id: 'zzz' }, { $set: { n: 1 } })).matchedCount, 0)
  })

  test('updateMany changes all that match', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertMany(makeReadings(70))
    const { matchedCount, modifiedCount } = await readings.updateMany({ agent: 3 }, { $set: { site: 'east' } })
    assert.deepEqual([matchedCount, modifiedCount], [10, 10])
    assert.equal(await readings.countDocuments({ site: 'east' }), 10)
  })

  test('upsert inserts what filter and update say', async (t) => {
    const { readings } = await openReadings(t)
    const { upsertedId, matchedCount } = await readings.updateOne({ id: 'new', site: 'north' }, { $set: { agent: 5 } }, { upsert: true })
    assert.deepEqual([upsertedId, matchedCount], ['new', 0])
    assert.deepEqual(await readings.get('new'), { id: 'new', site: 'north', agent: 5 })
    const again = await readings.updateOne({ id: 'new' }, { $inc: { agent: 1 } }, { upsert: true })
    assert.deepEqual([again.upsertedId, again.matchedCount], [undefined, 1])
  })

  test('replaceOne keeps the key', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne({ id: 'a', n: 1, old: true })
    assert.equal((await readings.replaceOne({ id: 'a' }, { id: 'a', n: 2 })).modifiedCount, 1)
    assert.deepEqual(await readings.get('a'), { id: 'a', n: 2 })
    await refuses(readings.replaceOne({ id: 'a' }, { id: 'b' }), 'invalid')
    assert.equal((await readings.replaceOne({ id: 'c' }, { id: 'c', n: 3 }, { upsert: true })).upsertedId, 'c')
  })

  test('the key cannot be changed', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne({ id: 'a', n: 1 })
    await refuses(readings.updateOne({ id: 'a' }, { $set: { id: 'b' } }), 'invalid')
    assert.deepEqual(await readings.find().toArray(), [{ id: 'a', n: 1 }])
  })

  test('findOneAndUpdate answers with the document before or after', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertMany([{ id: 'a', n: 1 }, { id: 'b', n: 2 }])
    assert.deepEqual(await readings.findOneAndUpdate({ id: 'a' }, { $inc: { n: 5 } }), { id: 'a', n: 1 })
    assert.deepEqual(await readings.findOneAndUpdate({}, { $inc: { n: 5 } }, { sort: { n: 1 }, returnDocument: 'after' }), { id: 'b', n: 7 })
    assert.equal(await readings.findOneAndUpdate({ id: 'zzz' }, { $inc: { n: 5 } }), undefined)
    assert.deepEqual(await readings.findOneAndUpdate({ id: 'c' }, { $inc: { n: 5 } }, { upsert: true, returnDocument: 'after' }), { id: 'c', n: 5 })
    assert.deepEqual(await readings.findOneAndUpdate({ id: 'd' }, { $set: { n: 1 } }, { upsert: true }), undefined)
    assert.deepEqual(await readings.findOneAndUpdate({ id: 'a' }, { $set: { m: 1, k: 2 } }, { project: { m: 1, id: 0 }, returnDocument: 'after' }), { m: 1 })
    assert.deepEqual(await readings.findOneAndUpdate({ id: 'a' }, { $unset: { m: 1 } }, { project: { m: 0 } }), { id: 'a', n: 6, k: 2 })
  })

  test('elements are updated: all, those of array filters, the one that was found', async (t) => {
    const { readings } = await openReadings(t)
    const rows = [{ kind: 'a', n: 1 }, { kind: 'b', n: 2 }, { kind: 'b', n: 3 }]
    await readings.insertMany([{ id: 'x', rows }, { id: 'y', rows: [] }])
    assert.equal((await readings.updateMany({}, { $inc: { 'rows.$[].n': 10 } })).modifiedCount, 1)
    await readings.updateOne({ id: 'x' }, { $set: { 'rows.$[b].n': 0 } }, { arrayFilters: [{ 'b.kind': /^B/i, 'b.n': { $gt: 12 } }] })
    await readings.updateOne({ id: 'x', 'rows.kind': 'b' }, { $set: { 'rows.$.done': true } })
    const { rows: after } = await readings.get('x')
    assert.deepEqual(after, [{ kind: 'a', n: 11 }, { kind: 'b', n: 12, done: true }, { kind: 'b', n: 0 }])
    const { modifiedCount } = await readings.bulkWrite([
      { updateOne: { filter: { id: /^x$/u }, update: { $unset: { 'rows.$[one].n': 1 } }, arrayFilters: [{ 'one.kind': 'a' }] } },
      { updateMany: { filter: {}, update: { $pull: { rows: { kind: /b/u } } } } },
    ])
    assert.equal(modifiedCount, 2)
    assert.deepEqual((await readings.get('x')).rows, [{ kind: 'a' }])
  })

  test('the time is one for all documents of an update, and that at which it was asked for', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertMany(makeReadings(20))
    const before = Date.now()
    await readings.updateMany({ site: 'north' }, { $currentDate: { seen: true, 'at.last': { $type: 'date' } }, $bit: { bits: { or: 5 } } })
    await readings.updateOne({ id: 'new' }, { $currentDate: { seen: true } }, { upsert: true })
    const after = Date.now()
    const [{ seen, at, bits }, ...others] = await readings.find({ site: 'north' }).toArray()
    assert.ok(seen instanceof Date && +seen >= before && +seen <= after)
    assert.deepEqual([at, bits], [{ last: seen }, 5])
    assert.ok(others.length > 5 && others.every((other) => +other.seen === +seen && +other.at.last === +seen))
    assert.ok((await readings.get('new')).seen >= seen)
  })

  test('an upsert sets what is set on insert, and only then', async (t) => {
    const { readings } = await openReadings(t)
    const update = { $setOnInsert: { made: 1 }, $push: { tags: { $each: ['b', 'a'], $sort: 1 } }, $max: { n: 5 } }
    assert.equal((await readings.updateOne({ id: 'x', site: { $all: ['north'] } }, update, { upsert: true })).upsertedId, 'x')
    await readings.updateOne({ id: 'x' }, { ...update, $setOnInsert: { made: 2 } }, { upsert: true })
    assert.deepEqual(await readings.get('x'), { id: 'x', site: 'north', made: 1, tags: ['a', 'a', 'b', 'b'], n: 5 })
  })
})

describe('deleting', () => {
  test('one, many, by key', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertMany(makeReadings(20))
    assert.equal((await readings.deleteOne({ site: 'north' })).deletedCount, 1)
    assert.equal((await readings.deleteMany({ site: 'north' })).deletedCount, 9)
    assert.equal((await readings.bulkDelete(['r00000', 'r00002', 'nope'])).deletedCount, 2)
    assert.equal((await readings.deleteOne({ site: 'north' })).deletedCount, 0)
    assert.equal(await readings.countDocuments(), 8)
    assert.equal((await readings.deleteMany({})).deletedCount, 8)
    assert.equal(await readings.find({ agent: 0 }).count(), 0)
  })

  test('a unique value is free again after its document is gone', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne({ id: 'a', serial: 's' })
    await readings.deleteOne({ id: 'a' })
    await readings.insertOne({ id: 'b', serial: 's' })
  })
})

describe('bulkWrite', () => {
  test('carries out every kind in one commit', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertMany(makeReadings(5))
    const result = await readings.bulkWrite([
      { insertOne: { document: { id: 'x', agent: 9 } } },
      { updateOne: { filter: { id: 'x' }, update: { $inc: { agent: 1 } } } },
      { updateMany: { filter: { site: 'south' }, update: { $set: { site: 'east' } } } },
      { replaceOne: { filter: { id: 'r00001' }, replacement: { id: 'r00001', n: 1 } } },
      { updateOne: { filter: { id: 'y' }, update: { $set: { n: 1 } }, upsert: true } },
      { deleteOne: { filter: { id: 'r00003' } } },
      { deleteMany: { filter: { site: 'east' } } },
    ])
    assert.equal(result.insertedCount, 1)
    assert.deepEqual(result.insertedIds, ['x'])
    assert.equal(result.upsertedCount, 1)
    assert.equal(result.deletedCount, 4)
    assert.equal(result.matchedCount, 5)
    assert.ok(result.seq > 0)
    assert.deepStrictEqual(await readings.find().toArray(), [{ id: 'r00001', n: 1 }, { id: 'x', agent: 10 }, { id: 'y', n: 1 }])
  })

  test('is all or none', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne({ id: 'a', n: 1 })
    await refuses(readings.bulkWrite([{ updateOne: { filter: { id: 'a' }, update: { $inc: { n: 1 } } } }, { insertOne: { document: { id: 'a' } } }]), 'already_exists')
    await refuses(readings.bulkWrite([{ deleteOne: { filter: {} } }, { nonsense: {} }]), 'invalid')
    assert.deepEqual(await readings.find().toArray(), [{ id: 'a', n: 1 }])
  })
})

describe('one document by its key', () => {
  const anything = {
    text: 'caf\u00e9 \u{1f600}', empty: '', whole: -7, zero: -0, half: 0.5, infinite: Infinity, great: 2n ** 62n, yes: true, no: false, nothing: null,
    at: new Date(5), raw: Uint8Array.of(1, 2), list: [1, 'x', [null, { a: [] }]], deep: { a: { b: { c: [new Date(0)] } } },
  }

  test('it is the same, however it is asked for, and whatever is in it', async (t) => {
    const { db, readings } = await openReadings(t)
    const keys = ['a', '', 'key with \u{1f600}', 0, -0.5, 7, 2 ** 60, 2n ** 60n + 1n, new Date(9)]
    await readings.insertMany(keys.map((id, n) => ({ id, n, ...anything, [`f${n}`]: n })))
    for (const key of [...keys, 7n, 'none', 8, new Date(8)]) {
      const [expected] = await readings.bulkGet([key])
      assert.deepStrictEqual(await readings.get(key), expected)
      assert.deepStrictEqual(await readings.get(key, {}), expected)
      assert.deepStrictEqual(await db.transaction((tx) => tx.collection('readings').get(key)), expected)
    }
    assert.equal((await readings.get(7n)).n, 5)
    assert.equal(await readings.get('none'), undefined)
    assert.ok(Object.is((await readings.get('a')).zero, -0))
  })

  test('what cannot be a key is refused in the same words', async (t) => {
    const { db, readings } = await openReadings(t)
    for (const key of [undefined, null, true, NaN, 2n ** 64n, [], ['a'], {}, Symbol('s'), () => 1, 'cut \ud800', 'x'.repeat(2000), new Date(NaN)]) {
      const expected = await refuses(readings.bulkGet([key]), key?.length === 2000 ? 'limit' : 'invalid')
      for (const asked of [readings.get(key), readings.get(key, {})]) {
        const error = await refuses(asked, expected.code)
        assert.equal(error.message, expected.message)
        assert.equal(error.hint, expected.hint)
      }
    }
    await refuses(db.collection('nowhere').get('a'), 'not_found', /nowhere/u)
  })

  test('a transaction sees its own, others what was committed, nobody anything after the end', async (t) => {
    const { db, readings } = await openReadings(t)
    await readings.insertOne({ id: 'a', n: 1 })
    await db.transaction(async (tx) => {
      await tx.collection('readings').put({ id: 'a', n: 2 })
      assert.equal((await tx.collection('readings').get('a')).n, 2)
      assert.equal((await readings.get('a')).n, 1)
    })
    assert.equal((await readings.get('a')).n, 2)
    await readings.deleteOne({ id: 'a' })
    assert.equal(await readings.get('a'), undefined)
    await db.close()
    await refuses(readings.get('a'), 'closed')
  })
})
