// Live pipelines in the facade: what is told when, and which objects stay the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveQuery, memory, open } from 'hyphadb'
import { freshName, refuses } from './support/check.mjs'
import { generator, seed } from './support/random.mjs'

async function openNotes(context) {
  const db = await open({ name: freshName(), storage: memory(), collections: { notes: { key: 'id', indexes: ['tag'] }, others: { key: 'id' } } })
  context.after(() => db.close())
  return { db, notes: db.collection('notes'), others: db.collection('others') }
}

function hearing(followed) {
  const heard = []
  const stop = followed.subscribe((result) => heard.push(result))
  return { heard, stop, next: (count) => until(() => heard.length >= count).then(() => heard[count - 1]) }
}

/** Until it holds; a test that waits for ever fails by its time limit. */
async function until(holds) {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1))
}
const ids = (docs) => docs.map(({ _id }) => _id)

test('each commit that changes the result is told once, and what did not change is the same object', async (t) => {
  const { notes } = await openNotes(t)
  await notes.insertMany([{ id: 1, tag: 'a', n: 1 }, { id: 2, tag: 'b', n: 2 }])
  const byTag = notes.aggregate([{ $match: { n: { $gt: 0 } } }, { $group: { _id: '$tag', n: { $sum: '$n' } } }, { $sort: { _id: 1 } }])
  const { heard, next } = hearing(byTag)
  const first = await next(1)
  assert.deepEqual(first.docs, [{ _id: 'a', n: 1 }, { _id: 'b', n: 2 }])
  assert.deepEqual(first.changes.added, first.docs)

  const { seq } = await notes.insertMany([{ id: 3, tag: 'b', n: 5 }, { id: 4, tag: 'A', n: 1 }])
  const second = await next(2)
  assert.equal(second.seq, seq)
  assert.deepEqual(second.docs, [{ _id: 'A', n: 1 }, { _id: 'a', n: 1 }, { _id: 'b', n: 7 }])
  assert.equal(second.docs[1], first.docs[0])
  assert.deepEqual([ids(second.changes.added), ids(second.changes.updated), second.changes.removed, second.changes.moved], [['A'], ['b'], [], []])

  await notes.insertOne({ id: 9, tag: 'z', n: -1 })
  await notes.updateOne({ id: 1 }, { $set: { more: true } })
  await notes.deleteMany({ tag: 'a' })
  const third = await next(3)
  assert.deepEqual([ids(third.changes.removed), third.changes.added, third.changes.updated], [['a'], [], []])
  assert.equal(third.changes.removed[0], first.docs[0])
  assert.equal(heard.length, 3)
})

test('documents without an _id are known by the key, or by what they hold', async (t) => {
  const { notes } = await openNotes(t)
  await notes.insertMany([{ id: 1, tag: 'a', parts: ['x', 'x', 'y'] }, { id: 2, tag: 'b', parts: ['x'] }])
  const parts = hearing(notes.aggregate([{ $sort: { id: 1 } }, { $unwind: '$parts' }]))
  const bare = hearing(notes.aggregate([{ $sort: { id: 1 } }, { $project: { id: 0, tag: 1 } }]))
  const before = [await parts.next(1), await bare.next(1)]
  assert.deepEqual(before[0].docs.map(({ id, parts }) => `${id}${parts}`), ['1x', '1x', '1y', '2x'])
  await notes.updateOne({ id: 2 }, { $push: { parts: 'z' } })
  await notes.insertOne({ id: 3, tag: 'a', parts: [] })
  const [after, more] = [await parts.next(2), await bare.next(2)]
  assert.deepEqual(after.docs.map(({ id, parts }) => `${id}${parts}`), ['1x', '1x', '1y', '2x', '2z'])
  assert.deepEqual([after.changes.added.length, after.changes.updated.length], [1, 0])
  before[0].docs.forEach((doc, place) => assert.equal(after.docs[place], doc))
  assert.deepEqual(more.docs, [{ tag: 'a' }, { tag: 'b' }, { tag: 'a' }])
  assert.deepEqual(more.docs.slice(0, 2).map((doc, place) => doc === before[1].docs[place]), [true, true])
})

test('other collections that are read run it too; an iteration ends with its signal', async (t) => {
  const { notes, others } = await openNotes(t)
  await notes.insertOne({ id: 1, tag: 'a' })
  const abort = new AbortController()
  const rounds = []
  const joined = notes.aggregate([{ $match: { tag: 'a' } }, { $lookup: { from: 'others', localField: 'tag', foreignField: 'tag', as: 'with' } }])
  const over = (async () => { for await (const { docs } of joined.live({ signal: abort.signal })) rounds.push(docs[0].with.length) })()
  await until(() => rounds.length === 1)
  await others.insertOne({ id: 1, tag: 'a' })
  await until(() => rounds.length === 2)
  abort.abort()
  await over
  assert.deepEqual(rounds, [0, 1])
})

test('liveQuery follows a pipeline that it answers with', async (t) => {
  const { notes } = await openNotes(t)
  const values = []
  const subscription = liveQuery(() => notes.aggregate([{ $count: 'n' }])).subscribe((docs) => values.push(docs[0]?.n))
  await until(() => values.length === 1)
  await notes.insertOne({ id: 1 })
  await until(() => values.length === 2)
  subscription.unsubscribe()
  assert.deepEqual(values, [undefined, 1])
})

test('mistakes are told at once', async (t) => {
  const { db, notes } = await openNotes(t)
  await refuses(() => notes.aggregate([{ $grp: {} }]).live()[Symbol.asyncIterator]().next(), 'unsupported')
  await refuses(() => db.collection('none').aggregate([]).live()[Symbol.asyncIterator]().next(), 'not_found')
  await refuses(async () => notes.aggregate([]).live({ sginal: 1 }), 'invalid', /sginal/)
  await refuses(() => db.transaction((tx) => tx.collection('notes').aggregate([]).live()), 'invalid', /transaction/)
})

test(`random writes: what is followed is what the pipeline gives (seed ${seed})`, { timeout: 60_000 }, async (t) => {
  const { notes, others } = await openNotes(t)
  const random = generator()
  const whole = (below) => Math.floor(random() * below)
  const groups = [{ $group: { _id: '$tag', n: { $sum: 1 }, rank: { $avg: '$rank' } } }, { $sort: { _id: 1 } }]
  const pipelines = [
    groups,
    [{ $match: { tag: 1 } }, ...groups],
    [{ $match: { rank: { $gt: 20 } } }, { $sort: { rank: -1, id: 1 } }, { $limit: 4 }, { $project: { rank: 1 } }],
    [{ $match: { rank: { $lt: 9 } } }, { $lookup: { from: 'others', localField: 'tag', foreignField: 'tag', as: 'with' } }, { $sort: { id: 1 } }],
    [{ $match: { tag: { $in: [0, 2] } } }, { $unionWith: { coll: 'others' } }, { $count: 'n' }],
  ].map((stages) => ({ pipeline: notes.aggregate(stages), ...hearing(notes.aggregate(stages)) }))
  for (let step = 0; step < 150; step++) {
    const docs = Array.from({ length: 1 + whole(4) }, (_, n) => ({ id: whole(20) * 4 + n, rank: whole(30), tag: whole(3) }))
    if (whole(4) === 0) await notes.deleteMany({ id: { $gte: docs[0].id, $lt: docs[0].id + whole(12) } })
    else await (whole(5) === 0 ? others : notes).bulkPut(docs)
    for (const { pipeline, heard } of pipelines) {
      const fresh = JSON.stringify(await pipeline.toArray())
      await until(() => JSON.stringify(heard.at(-1)?.docs) === fresh)
      const same = new Map((heard.at(-2)?.docs ?? []).map((doc) => [JSON.stringify(doc), doc]))
      for (const doc of heard.at(-1).docs) assert.equal(same.get(JSON.stringify(doc)) ?? doc, doc, 'the same object')
    }
  }
})
