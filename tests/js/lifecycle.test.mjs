// Opening, sharing, closing, deleting, events, and what the package exports.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as hyphadb from 'hyphadb'
import { Collection } from '../../pkg/collection.js'
import { Cursor } from '../../pkg/cursor.js'
import { Documents } from '../../pkg/documents.js'
import { freshName, openReadings, refuses } from './support/check.mjs'

const { memory, open, deleteDatabase } = hyphadb
const methods = (type) => Object.getOwnPropertyNames(type.prototype).filter((name) => name !== 'constructor').sort()

describe('names are the contract', () => {
  test('of the package', () => {
    assert.deepEqual(Object.keys(hyphadb).sort(), ['HyphaError', 'deleteDatabase', 'liveQuery', 'memory', 'open'])
  })

  test('of a collection, a cursor, a database', async (t) => {
    const { db } = await openReadings(t)
    assert.deepEqual(methods(Documents), ['aggregate', 'bulkDelete', 'bulkGet', 'bulkPut', 'bulkWrite', 'countDocuments', 'deleteMany', 'deleteOne', 'distinct', 'find', 'findOne', 'findOneAndUpdate', 'get', 'insertMany', 'insertOne', 'put', 'replaceOne', 'updateMany', 'updateOne'])
    assert.deepEqual(methods(Collection), ['createIndex', 'dropIndex', 'indexes', 'stats', 'tryMigration'])
    assert.deepEqual(methods(Cursor), ['columns', 'count', 'explain', 'first', 'keys', 'limit', 'live', 'project', 'skip', 'sort', 'subscribe', 'toArray'])
    assert.equal(typeof Cursor.prototype[Symbol.asyncIterator], 'function')
    assert.deepEqual(methods(db.constructor), ['advise', 'close', 'collection', 'collections', 'on', 'slowQueries', 'stats', 'transaction'])
  })
})

describe('opening', () => {
  test('the same name and configuration shares one database', async () => {
    const name = freshName()
    const config = () => ({ name, storage: memory(), collections: { a: { key: 'id' } } })
    const [first, second] = await Promise.all([open(config()), open(config())])
    await first.collection('a').insertOne({ id: 1 })
    assert.deepEqual(await second.collection('a').get(1), { id: 1 })
    await first.close()
    assert.deepEqual(await second.collection('a').get(1), { id: 1 })
    await refuses(first.collection('a').get(1), 'closed')
    await second.close()
    const third = await open(config())
    assert.equal(await third.collection('a').get(1), undefined, 'memory ends with the last handle')
    await third.close()
  })

  test('many at once, under different names', async () => {
    const dbs = await Promise.all(Array.from({ length: 20 }, () => open({ name: freshName(), storage: memory(), collections: { a: {} } })))
    await Promise.all(dbs.map((db, n) => db.collection('a').insertOne({ id: n })))
    assert.deepEqual(await Promise.all(dbs.map((db) => db.collection('a').find().keys())), dbs.map((_, n) => [n]))
    await Promise.all(dbs.map((db) => db.close()))
  })

  test('given up on, it leaves nothing open', async () => {
    const name = freshName()
    await refuses(open({ name, storage: memory(), signal: AbortSignal.abort() }), 'cancelled')
    const db = await open({ name, storage: memory(), collections: { other: {} }, timeoutMs: 10_000 })
    await db.close()
  })
})

describe('closing', () => {
  test('every call after it says closed', async () => {
    const db = await open({ name: freshName(), storage: memory(), collections: { a: {} } })
    const a = db.collection('a')
    await a.insertOne({ id: 1 })
    await db.close()
    await db.close()
    for (const work of [
      () => a.get(1), () => a.insertOne({ id: 2 }), () => a.find().toArray(), () => a.createIndex('x'), () => a.stats(), () => db.transaction(async () => 1), () => db.collections(), () => db.stats(),
      () => db.on('change', () => undefined), async () => { for await (const doc of a.find()) assert.fail(doc) },
    ]) await refuses(async () => work(), 'closed')
  })

  test('writes that are on their way arrive', async () => {
    const name = freshName()
    const config = () => ({ name, storage: memory(), collections: { a: {} } })
    const [db, other] = [await open(config()), await open(config())]
    const writes = Array.from({ length: 50 }, (_, n) => db.collection('a').insertOne({ id: n }))
    const closing = db.close()
    await Promise.all(writes)
    await closing
    assert.equal(await other.collection('a').countDocuments(), 50)
    await other.close()
  })

  test('await using', async () => {
    const db = await open({ name: freshName(), storage: memory(), collections: { a: {} } })
    await db[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]()
    await refuses(db.collection('a').get(1), 'closed')
  })

  test('deleteDatabase ends what is open, and deleting what is not there is fine', async () => {
    const name = freshName()
    const db = await open({ name, storage: memory(), collections: { a: {} } })
    await db.collection('a').insertOne({ id: 1 })
    await deleteDatabase(name)
    await refuses(db.collection('a').get(1), 'closed')
    await db.close()
    const again = await open({ name, storage: memory(), collections: { a: {} } })
    assert.equal(await again.collection('a').countDocuments(), 0)
    await again.close()
    await deleteDatabase(freshName())
    await refuses(deleteDatabase(5), 'invalid')
  })
})

test('a deletion that is given up on in time deletes nothing', async () => {
  const name = freshName()
  const config = { name, storage: memory(), collections: { a: { key: 'id' } } }
  const db = await open(config)
  const controller = new AbortController()
  const deleting = refuses(deleteDatabase(name, { signal: controller.signal }), 'cancelled')
  controller.abort()
  await deleting
  await refuses(deleteDatabase(name, { signal: controller.signal }), 'cancelled')
  await db.close()
})

describe('events', () => {
  test('changes tell what was committed, in order, after it', async (t) => {
    const { db, readings } = await openReadings(t)
    const seen = []
    const off = db.on('change', (change) => seen.push(change))
    await readings.insertMany([{ id: 'a', n: 1 }, { id: 'b', n: 1 }])
    await readings.updateOne({ id: 'a' }, { $inc: { n: 1 } })
    await readings.deleteOne({ id: 'b' })
    while (seen.length < 3) await turn()
    off()
    await readings.insertOne({ id: 'c' })
    await turn()
    assert.deepEqual(seen.map(({ own, reset }) => [own, reset]), [[true, false], [true, false], [true, false]])
    assert.deepEqual(seen.map(({ changes }) => changes), [
      [{ collection: 'readings', kind: 'insert', key: 'a' }, { collection: 'readings', kind: 'insert', key: 'b' }],
      [{ collection: 'readings', kind: 'update', key: 'a' }],
      [{ collection: 'readings', kind: 'delete', key: 'b' }],
    ])
    assert.ok(seen[0].seq < seen[1].seq && seen[1].seq < seen[2].seq)
  })

  test('a listener may call the database', async (t) => {
    const { db, readings } = await openReadings(t)
    const copied = new Promise((resolve, reject) => {
      const off = db.on('change', ({ changes }) => {
        off()
        readings.get(changes[0].key).then((doc) => readings.insertOne({ ...doc, id: 'copy' })).then(resolve, reject)
      })
    })
    await readings.insertOne({ id: 'a', n: 5 })
    await copied
    assert.equal((await readings.get('copy')).n, 5)
  })

  test('an unknown event, and a listener that is none', async (t) => {
    const { db } = await openReadings(t)
    const error = await refuses(async () => db.on('changes', () => undefined), 'invalid')
    assert.equal(error.hint, 'did you mean `change`?')
    await refuses(async () => db.on('change', 5), 'invalid')
  })
})
