// Live queries in the facade: what is told when, and which objects stay the same.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HyphaError, liveQuery, memory, open } from 'hyphadb'
import { freshName, refuses } from './support/check.mjs'
import { generator, seed } from './support/random.mjs'

async function openNotes(context, more = {}) {
  const db = await open({ name: freshName(), storage: memory(), collections: { notes: { key: 'id', indexes: ['rank'] }, others: { key: 'id' }, more: { key: 'id' } }, ...more })
  context.after(() => db.close())
  return { db, notes: db.collection('notes') }
}

/** What a subscription tells, one after the other. */
function hearing(cursor) {
  const heard = []
  const waiting = []
  const stop = cursor.subscribe((result) => {
    heard.push(result)
    for (const one of waiting.splice(0)) one()
  })
  const next = async (count) => {
    while (heard.length < count) await new Promise((resolve) => waiting.push(resolve))
    return heard[count - 1]
  }
  return { heard, next, stop }
}
const ids = (docs) => docs.map(({ id }) => id)
const named = ({ added, updated, removed, moved }) => ({ added: ids(added), updated: ids(updated), removed: ids(removed), moved: ids(moved) })
/** Until whatever was committed before has been told: commits are told in their order. */
async function settled(db) {
  const others = db.collection('others')
  let count = 0
  await new Promise((resolve) => {
    const stop = others.find({ id: 'settled' }).subscribe(() => {
      if (++count === 1) return void others.put({ id: 'settled', at: performance.now() })
      stop()
      resolve()
    })
  })
}
/** Until it holds; a test that waits for ever fails by its time limit. */
async function until(holds) {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1))
}

test('the first result is what there is, and each commit that changes it is told once', async (t) => {
  const { db, notes } = await openNotes(t)
  await notes.insertMany([{ id: 'b', rank: 2 }, { id: 'a', rank: 1 }])
  const { heard, next } = hearing(notes.find({ rank: { $gt: 0 } }).sort({ rank: 1 }))
  const first = await next(1)
  assert.deepEqual(first.docs, [{ id: 'a', rank: 1 }, { id: 'b', rank: 2 }])
  assert.deepEqual(named(first.changes), { added: ['a', 'b'], updated: [], removed: [], moved: [] })

  const { seq } = await notes.insertMany([{ id: 'c', rank: 1.5 }, { id: 'no', rank: -1 }])
  const second = await next(2)
  assert.equal(second.seq, seq)
  assert.deepEqual(ids(second.docs), ['a', 'c', 'b'])
  assert.deepEqual(named(second.changes), { added: ['c'], updated: [], removed: [], moved: [] })
  assert.equal(second.docs[0], first.docs[0])
  assert.equal(second.docs[2], first.docs[1])
  assert.deepEqual(ids(first.docs), ['a', 'b'], 'what was given out stays as it was')

  await notes.updateOne({ id: 'a' }, { $set: { rank: 9 } })
  const third = await next(3)
  assert.deepEqual(ids(third.docs), ['c', 'b', 'a'])
  assert.deepEqual(named(third.changes), { added: [], updated: ['a'], removed: [], moved: ['a'] })
  assert.equal(third.changes.updated[0], third.docs[2])
  assert.equal(third.docs[0], second.docs[1])

  await notes.bulkWrite([{ deleteOne: { filter: { id: 'b' } } }, { updateOne: { filter: { id: 'c' }, update: { $set: { text: 'x' } } } }])
  const fourth = await next(4)
  assert.deepEqual(named(fourth.changes), { added: [], updated: ['c'], removed: ['b'], moved: [] })
  assert.equal(fourth.changes.removed[0], third.docs[1], 'as it was')

  await notes.insertOne({ id: 'low', rank: 0 })
  await notes.put({ id: 'a', rank: 9 })
  await notes.updateOne({ id: 'low' }, { $set: { rank: -5 } })
  await settled(db)
  assert.equal(heard.length, 4, 'nothing of the result changed')
})

test('with skip and limit, who leaves is followed by the next', async (t) => {
  const { db, notes } = await openNotes(t)
  await notes.insertMany(Array.from({ length: 100 }, (_, n) => ({ id: n, rank: n })))
  const { heard, next } = hearing(notes.find().sort({ rank: -1 }).skip(1).limit(3))
  assert.deepEqual(ids((await next(1)).docs), [98, 97, 96])
  for (let n = 99, count = 2; n > 40; n--, count++) {
    await notes.deleteOne({ id: n })
    const { docs, changes } = await next(count)
    assert.deepEqual(ids(docs), [n - 2, n - 3, n - 4])
    assert.deepEqual(named(changes), { added: [n - 4], updated: [], removed: [n - 1], moved: [] })
  }
  await notes.insertOne({ id: 200, rank: 200 })
  const { changes } = await next(61)
  assert.deepEqual(named(changes), { added: [40], updated: [], removed: [37], moved: [] })
  await notes.deleteOne({ id: 5 })
  await notes.updateOne({ id: 200 }, { $set: { rank: 300 } })
  await settled(db)
  assert.equal(heard.length, 61)
})

test('a projection hides what it leaves out', async (t) => {
  const { db, notes } = await openNotes(t)
  await notes.insertOne({ id: 1, rank: 1, text: 'a' })
  const { heard, next } = hearing(notes.find().project({ id: 1, text: 1 }))
  await next(1)
  await notes.updateOne({ id: 1 }, { $set: { rank: 2 } })
  await notes.updateOne({ id: 1 }, { $set: { text: 'b' } })
  assert.deepEqual((await next(2)).docs, [{ id: 1, text: 'b' }])
  assert.equal(heard.length, 2)
})

test('a transaction is told as one, and not before its commit', async (t) => {
  const { db, notes } = await openNotes(t)
  const { heard, next } = hearing(notes.find({ rank: 1 }))
  await next(1)
  await db.transaction(async (tx) => {
    for (let id = 0; id < 5; id++) await tx.collection('notes').insertOne({ id, rank: 1 })
    await tx.collection('notes').deleteOne({ id: 3 })
    await settled(db)
    assert.equal(heard.length, 1)
  })
  assert.deepEqual(ids((await next(2)).docs), [0, 1, 2, 4])
  assert.equal(heard.length, 2)
})

test('more documents in one commit than are told one by one: the result is read anew', async (t) => {
  const { db, notes } = await openNotes(t)
  await notes.insertMany([{ id: 1, rank: 1 }, { id: 20_000, rank: 1 }])
  const { next } = hearing(notes.find())
  const first = await next(1)
  await notes.bulkPut(Array.from({ length: 12_000 }, (_, id) => ({ id, rank: 1 })))
  const { docs, changes } = await next(2)
  assert.equal(docs.length, 12_001)
  assert.equal(changes.added.length, 11_999)
  assert.equal(changes.updated.length, 0)
  assert.equal(docs[1], first.docs[0])
  assert.equal(docs.at(-1), first.docs[1])
})

describe('an iteration', () => {
  test('gives result after result, and tells several commits as one where nobody waited', async (t) => {
    const { db, notes } = await openNotes(t)
    const results = notes.find({ rank: { $lt: 5 } }).live()[Symbol.asyncIterator]()
    assert.deepEqual((await results.next()).value.docs, [])
    await notes.insertOne({ id: 1, rank: 1 })
    await notes.insertOne({ id: 2, rank: 2 })
    await notes.insertOne({ id: 3, rank: 3 })
    await notes.updateOne({ id: 2 }, { $set: { rank: 2.5 } })
    await notes.deleteOne({ id: 3 })
    await settled(db)
    const { value } = await results.next()
    assert.deepEqual(value.docs, [{ id: 1, rank: 1 }, { id: 2, rank: 2.5 }])
    assert.deepEqual(named(value.changes), { added: [1, 2], updated: [], removed: [], moved: [] })
    const next = results.next()
    await notes.updateMany({}, { $inc: { rank: 0.25 } })
    assert.deepEqual(named((await next).value.changes), { added: [], updated: [1, 2], removed: [], moved: [] })
    assert.deepEqual(await results.return(), { value: undefined, done: true })
  })

  test('ends with its signal, and with the database', async (t) => {
    const { db, notes } = await openNotes(t)
    const abort = new AbortController()
    const rounds = []
    const first = (async () => { for await (const { docs } of notes.find().live({ signal: abort.signal })) rounds.push(docs.length) })()
    const second = (async () => { for await (const { docs } of notes.find().live()) rounds.push(docs.length) })()
    await until(() => rounds.length === 2)
    abort.abort()
    await first
    await notes.insertOne({ id: 1 })
    await until(() => rounds.length === 3)
    await db.close()
    await second
    assert.deepEqual(rounds, [0, 0, 1])
    const ended = notes.find().live({ signal: AbortSignal.abort() })[Symbol.asyncIterator]()
    assert.equal((await ended.next()).done, true)
  })

  test('of a bad filter fails at once, with its code', async (t) => {
    const { db, notes } = await openNotes(t)
    await refuses(() => notes.find({ rank: { $near: 1 } }).live()[Symbol.asyncIterator]().next(), 'unsupported')
    await refuses(() => db.collection('none').find().live()[Symbol.asyncIterator]().next(), 'not_found')
    await refuses(async () => notes.find().live({ sginal: 1 }), 'invalid', /sginal/)
    await refuses(async () => notes.find().subscribe(5), 'invalid')
    await refuses(() => db.transaction((tx) => tx.collection('notes').find().live()), 'invalid', /transaction/)
    const failed = await new Promise((error) => notes.find({ $where: 'x' }).subscribe({ error }))
    assert.ok(failed instanceof HyphaError)
    await db.close()
    await refuses(() => notes.find().live()[Symbol.asyncIterator]().next(), 'closed')
  })
})

describe('a subscription', () => {
  test('that throws keeps nobody else from being told', async (t) => {
    const { db, notes } = await openNotes(t)
    const reported = []
    globalThis.reportError = (thrown) => reported.push(thrown)
    t.after(() => delete globalThis.reportError)
    notes.find().subscribe(() => { throw new Error('of the page') })
    const { next } = hearing(notes.find())
    await next(1)
    await notes.insertOne({ id: 1 })
    await next(2)
    assert.deepEqual(reported.map(({ message }) => message), ['of the page', 'of the page'])
  })

  test('is told nothing after it was ended, nor after the database was closed', async (t) => {
    const { db, notes } = await openNotes(t)
    const [ended, closed] = [hearing(notes.find()), hearing(notes.find())]
    await ended.next(1)
    await closed.next(1)
    ended.stop()
    ended.stop()
    await notes.insertOne({ id: 1 })
    await closed.next(2)
    await db.close()
    closed.stop()
    assert.equal(ended.heard.length, 1)
    assert.equal(closed.heard.length, 2)
  })
})

describe('liveQuery', () => {
  test('runs again when something that it read may have changed', async (t) => {
    const { db, notes } = await openNotes(t)
    const values = []
    let runs = 0
    const query = liveQuery(async () => {
      runs++
      const count = await notes.countDocuments()
      await settled(db)
      return [count, (await notes.get(1))?.rank]
    })
    const subscription = query.subscribe((value) => values.push(value))
    await until(() => values.length === 1)
    await db.collection('more').insertOne({ id: 1 })
    await settled(db)
    assert.equal(runs, 1)
    await notes.insertOne({ id: 1, rank: 7 })
    await until(() => values.length === 2)
    assert.deepEqual(values, [[0, undefined], [1, 7]])
    subscription.unsubscribe()
    assert.equal(subscription.closed, true)
    await notes.deleteOne({ id: 1 })
    await settled(db)
    assert.equal(runs, 2)
  })

  test('follows a cursor that it answers with, and tells of errors', async (t) => {
    const { db, notes } = await openNotes(t)
    const values = []
    const subscription = liveQuery(() => notes.find({ rank: 1 })).subscribe({ next: (docs) => values.push(ids(docs)) })
    await until(() => values.length === 1)
    await notes.insertOne({ id: 1, rank: 1 })
    await until(() => values.length === 2)
    subscription.unsubscribe()
    assert.deepEqual(values, [[], [1]])
    const error = await new Promise((error) => liveQuery(() => notes.findOne({ rank: { $near: 1 } })).subscribe({ error }))
    assert.equal(error.code, 'unsupported')
    await refuses(async () => liveQuery(5), 'invalid')
  })
})

test(`random writes: what is followed is what a query finds, and what did not change is the same object (seed ${seed})`, { timeout: 60_000 }, async (t) => {
  const { db, notes } = await openNotes(t)
  const random = generator()
  const whole = (below) => Math.floor(random() * below)
  const cursors = Array.from({ length: 12 }, (_, n) => {
    let cursor = notes.find([{}, { tag: n % 3 }, { rank: { $gte: whole(20) } }, { tag: { $in: [1, 2] } }][n % 4]).sort([[['rank', 'tag'][n % 2], n % 3 ? 1 : -1], ['id', 1]])
    if (n % 3 !== 0) cursor = cursor.skip(whole(4)).limit(1 + whole(6))
    return { cursor, ...hearing(cursor) }
  })
  for (let step = 0; step < 150; step++) {
    const docs = Array.from({ length: whole(4) === 0 ? 50 : 1 + whole(3) }, () => ({ id: whole(80), rank: whole(30), tag: whole(3) }))
    if (whole(3) === 0) await notes.deleteMany({ id: { $gte: docs[0].id, $lt: docs[0].id + whole(12) } })
    else await notes.bulkPut(docs.filter(({ id }, place) => docs.findIndex((other) => other.id === id) === place))
    await settled(db)
    for (const { cursor, heard } of cursors) {
      // Whoever ran short is read anew, which takes a moment.
      const fresh = JSON.stringify(await cursor.toArray())
      await until(() => JSON.stringify(heard.at(-1)?.docs) === fresh)
      const { docs } = heard.at(-1)
      assert.deepEqual(docs, await cursor.toArray(), `step ${step}`)
      const before = heard.at(-2)?.docs ?? []
      const same = new Map(before.map((doc) => [JSON.stringify(doc), doc]))
      for (const doc of docs) assert.equal(same.get(JSON.stringify(doc)) ?? doc, doc, 'the same object')
    }
  }
  // Each result follows from the one before and what is said to have changed.
  for (const { heard } of cursors) {
    heard.reduce((before, { docs, changes }) => {
      const [was, is] = [new Set(ids(before)), new Set(ids(docs))]
      assert.deepEqual(new Set(ids(changes.added)), is.difference?.(was) ?? new Set([...is].filter((id) => !was.has(id))))
      assert.deepEqual(new Set(ids(changes.removed)), was.difference?.(is) ?? new Set([...was].filter((id) => !is.has(id))))
      const old = new Map(before.map((doc) => [doc.id, doc]))
      assert.deepEqual(new Set(changes.updated), new Set(docs.filter((doc) => old.has(doc.id) && old.get(doc.id) !== doc)))
      return docs
    }, [])
  }
})
