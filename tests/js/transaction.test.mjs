// Transactions through the published package.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { openReadings, refuses } from './support/check.mjs'

test('writes land together, are seen inside before, and outside only after', async (t) => {
  const { db, readings } = await openReadings(t)
  const answer = await db.transaction(async (tx) => {
    const inside = tx.collection('readings')
    const { insertedId, seq } = await inside.insertOne({ id: 'a', n: 1 })
    assert.equal(seq, undefined)
    await turn()
    await inside.updateOne({ id: insertedId }, { $inc: { n: 1 } })
    assert.deepEqual(await inside.find({ n: 2 }).toArray(), [{ id: 'a', n: 2 }])
    assert.equal(await readings.get('a'), undefined)
    return 'done'
  })
  assert.equal(answer, 'done')
  assert.deepEqual(await readings.get('a'), { id: 'a', n: 2 })
})

test('what throws leaves nothing, and the error is its own', async (t) => {
  const { db, readings } = await openReadings(t)
  const own = new Error('changed my mind')
  await assert.rejects(db.transaction(async (tx) => { await tx.collection('readings').insertOne({ id: 'a' }); throw own }), (thrown) => thrown === own)
  assert.equal(await readings.countDocuments(), 0)
})

test('a refused request inside does not spoil the rest', async (t) => {
  const { db, readings } = await openReadings(t)
  await readings.insertOne({ id: 'a' })
  await db.transaction(async (tx) => {
    const inside = tx.collection('readings')
    await refuses(inside.insertMany([{ id: 'b' }, { id: 'a' }]), 'already_exists')
    await refuses(inside.insertOne({ id: 'x', bad: NaN }), 'invalid')
    await inside.insertOne({ id: 'c' })
  })
  assert.deepEqual(await readings.find().keys(), ['a', 'c'])
})

test('reads see one state, whatever is committed meanwhile', async (t) => {
  const { db, readings } = await openReadings(t)
  await readings.insertOne({ id: 'a', n: 1 })
  await db.transaction(async (tx) => {
    const inside = tx.collection('readings')
    assert.equal((await inside.get('a')).n, 1)
    await readings.updateOne({ id: 'a' }, { $set: { n: 2 } })
    await readings.insertOne({ id: 'b', n: 1 })
    assert.equal((await inside.get('a')).n, 1)
    assert.equal(await inside.countDocuments(), 1)
  })
})

test('a conflict runs the function again', async (t) => {
  const { db, readings } = await openReadings(t)
  await readings.insertOne({ id: 'a', n: 0 })
  let runs = 0
  await db.transaction(async (tx) => {
    const inside = tx.collection('readings')
    const { n } = await inside.get('a')
    if (runs++ === 0) await readings.updateOne({ id: 'a' }, { $inc: { n: 10 } })
    await inside.updateOne({ id: 'a' }, { $set: { n: n + 1 } })
  })
  assert.equal(runs, 2)
  assert.equal((await readings.get('a')).n, 11)
})

test('without retries a conflict is told', async (t) => {
  const { db, readings } = await openReadings(t)
  await readings.insertOne({ id: 'a', n: 0 })
  const error = await refuses(db.transaction(async (tx) => {
    await tx.collection('readings').get('a')
    await readings.updateOne({ id: 'a' }, { $inc: { n: 10 } })
    await tx.collection('readings').insertOne({ id: 'b' })
  }, { retry: 0 }), 'conflict')
  assert.equal(error.retryable, true)
  assert.deepEqual(await readings.find().keys(), ['a'])
})

test('a document that appears in a range that was read is a conflict too', async (t) => {
  const { db, readings } = await openReadings(t)
  await refuses(db.transaction(async (tx) => {
    const inside = tx.collection('readings')
    assert.equal(await inside.find({ agent: 5 }).count(), 0)
    await readings.insertOne({ id: 'other', agent: 5 })
    await inside.insertOne({ id: 'mine', agent: 5 })
  }, { retry: 0 }), 'conflict')
  assert.deepEqual(await readings.find().keys(), ['other'])
})

test('200 concurrent increments by read and write lose none, and do not run for nothing', async (t) => {
  const { db, readings } = await openReadings(t)
  let runs = 0
  await readings.insertOne({ id: 'a', n: 0 })
  await Promise.all(Array.from({ length: 200 }, () => db.transaction(async (tx) => {
    const inside = tx.collection('readings')
    const { n } = await inside.get('a')
    if (Math.random() < 0.3) await turn()
    runs++
    await inside.updateOne({ id: 'a' }, { $set: { n: n + 1 } })
  })))
  assert.equal((await readings.get('a')).n, 200)
  assert.ok(runs < 600, `${runs} runs`)
})

test('a transaction inside a transaction does not wait for the one around it', async (t) => {
  const { db, readings } = await openReadings(t)
  await readings.insertOne({ id: 'a', n: 0 })
  let runs = 0
  let isDisturbed = false
  await db.transaction(async (outer) => {
    const { n } = await outer.collection('readings').get('a')
    if (runs++ < 2) {
      await db.transaction(async (inner) => {
        await inner.collection('readings').get('a')
        if (!isDisturbed) await readings.updateOne({ id: 'a' }, { $inc: { n: 1 } })
        isDisturbed = true
        await inner.collection('readings').updateOne({ id: 'a' }, { $inc: { n: 10 } })
      })
    }
    await outer.collection('readings').updateOne({ id: 'a' }, { $set: { n: n + 100 } })
  })
  assert.equal((await readings.get('a')).n, 1 + 10 + 10 + 100)
})

test('500 concurrent $inc outside of transactions lose none', async (t) => {
  const { readings } = await openReadings(t)
  await readings.insertOne({ id: 'a', n: 0 })
  await Promise.all(Array.from({ length: 500 }, () => readings.updateOne({ id: 'a' }, { $inc: { n: 1 } })))
  assert.equal((await readings.get('a')).n, 500)
})

test('an aborted transaction has no effect', async (t) => {
  const { db, readings } = await openReadings(t)
  const controller = new AbortController()
  const error = await refuses(db.transaction(async (tx) => {
    await tx.collection('readings').insertOne({ id: 'a' })
    controller.abort(new Error('enough'))
    await turn()
  }, { signal: controller.signal }), 'cancelled')
  assert.equal(error.cause.message, 'enough')
  await refuses(db.transaction(async (tx) => { await tx.collection('readings').insertOne({ id: 'b' }); await new Promise(() => {}) }, { timeoutMs: 20 }), 'cancelled')
  assert.equal(await readings.countDocuments(), 0)
})

test('a transaction whose request was given up does not commit the rest', async (t) => {
  const { db, readings } = await openReadings(t)
  await refuses(db.transaction(async (tx) => {
    await tx.collection('readings').insertOne({ id: 'a' })
    await tx.collection('readings').insertOne({ id: 'b' }, { signal: AbortSignal.abort() }).catch(() => undefined)
  }), 'cancelled').catch(() => undefined)
  const keys = await readings.find().keys()
  assert.ok(!keys.includes('b'))
})

test('after its end a transaction takes no requests', async (t) => {
  const { db } = await openReadings(t)
  let kept
  await db.transaction(async (tx) => { kept = tx.collection('readings') })
  await refuses(kept.insertOne({ id: 'a' }), 'closed', /ended/)
  await refuses(kept.get('a'), 'closed')
})

test('requests that were not awaited are still part of it', async (t) => {
  const { db, readings } = await openReadings(t)
  await db.transaction((tx) => { for (let n = 0; n < 10; n++) void tx.collection('readings').insertOne({ id: n }) })
  assert.equal(await readings.countDocuments(), 10)
})

test('a transaction that writes nothing commits nothing', async (t) => {
  const { db, readings } = await openReadings(t)
  const { seq } = await readings.insertOne({ id: 'a' })
  assert.deepEqual(await db.transaction((tx) => tx.collection('readings').get('a')), { id: 'a' })
  assert.equal((await readings.insertOne({ id: 'b' })).seq, seq + 1)
})

test('what is no function, and options that there are not, are refused', async (t) => {
  const { db } = await openReadings(t)
  await refuses(db.transaction(), 'invalid', /takes a function/)
  await refuses(db.transaction(async () => undefined, { retries: 3 }), 'invalid', /`retries`/)
})
