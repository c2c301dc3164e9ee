// Worker mode in a real browser: the same database, with its engine in a dedicated worker.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, newProfile, openTab } from './browser.mjs'
import { startSite } from './site.mjs'

const TIMES = 200

let site, browser, tab, other

before(async () => {
  site = await startSite()
  browser = await launch({ profile: await newProfile() })
  ;[tab, other] = [await openTab(browser, site), await openTab(browser, site)]
  // Timers of a page in the background are slow.
  await tab.bringToFront()
})

after(async () => {
  await browser?.close()
  await site?.close()
})

test('documents go in and come out as they are, and no engine starts on the page', async () => {
  const answer = await tab.evaluate(async () => {
    let instantiated = 0
    const { instantiate } = WebAssembly
    WebAssembly.instantiate = (...parameters) => { instantiated++; return instantiate(...parameters) }
    const { openForTest } = await import('/work.js')
    const db = await openForTest('facts', { thread: 'worker' })
    const entries = db.collection('entries')
    const all = { id: 'all', when: new Date(5), bytes: new Uint8Array([0, 255]), big: -(2n ** 63n), zero: -0, list: [1.5, 'two', [true, null]], text: 'emoji 😀' }
    const { durability } = await entries.insertOne(all)
    await entries.insertMany(Array.from({ length: 500 }, (_, n) => ({ id: n, round: n % 5 })))
    const back = await entries.get('all')
    const seen = []
    for await (const { id } of entries.find({ round: 3 }).sort({ id: 1 })) seen.push(id)
    const sum = await db.transaction(async tx => {
      const { round } = await tx.collection('entries').get(8)
      await tx.collection('entries').put({ id: 8, round: round + 10 })
      return round
    })
    const { ids } = await entries.find({ round: 13 }).columns(['id']).then(({ id }) => ({ ids: [...id] }))
    await db.close()
    WebAssembly.instantiate = instantiate
    const again = await openForTest('facts', { thread: 'worker' })
    const count = await again.collection('entries').countDocuments({})
    await again.close()
    return {
      durability, instantiated, count, sum, ids, seen: [seen.length, seen[0], seen.at(-1)], fields: Object.keys(back),
      values: [back.when.getTime(), [...back.bytes], String(back.big), Object.is(back.zero, -0), back.list, back.text],
    }
  })
  assert.deepEqual(answer, {
    durability: 'relaxed', instantiated: 0, count: 501, sum: 3, ids: [8], seen: [100, 3, 498],
    fields: ['id', 'when', 'bytes', 'big', 'zero', 'list', 'text'],
    values: [5, [0, 255], '-9223372036854775808', true, [1.5, 'two', [true, null]], 'emoji 😀'],
  })
})

test('errors are those of the page, and what is given up has no effect', async () => {
  const answer = await tab.evaluate(async () => {
    const { openForTest, told, HyphaError } = await import('/work.js')
    const db = await openForTest('errors', { thread: 'worker' })
    const entries = db.collection('entries')
    await entries.insertOne({ id: 'a' })
    const error = await entries.insertOne({ id: 'a' }).catch(thrown => thrown)
    const controller = new AbortController()
    const given = db.transaction(async tx => {
      await tx.collection('entries').put({ id: 'given up' })
      controller.abort()
      await tx.collection('entries').get('a')
    }, { signal: controller.signal }).then(() => 'committed', thrown => thrown.code)
    const aborted = entries.put({ id: 'aborted' }, { signal: AbortSignal.abort() }).then(() => 'written', thrown => thrown.code)
    const outcome = { given: await given, aborted: await aborted }
    const keys = await entries.find({}).keys()
    const closing = db.close()
    const late = await entries.get('a').catch(thrown => thrown.code)
    await closing
    return { ...told(error), isError: error instanceof HyphaError, ...outcome, keys, late }
  })
  assert.equal(answer.code, 'already_exists')
  assert.ok(answer.isError && answer.hint && answer.details)
  assert.deepEqual([answer.given, answer.aborted, answer.keys, answer.late], ['cancelled', 'cancelled', ['a'], 'closed'])
})

test('two tabs, each with a worker, and a tab without lose no update and are told of each other', async () => {
  const third = await openTab(browser, site)
  await tab.evaluate(async () => {
    const { openForTest } = await import('/work.js')
    globalThis.db = await openForTest('counted', { thread: 'worker' })
    globalThis.foreign = 0
    globalThis.db.on('change', ({ own }) => { if (!own) globalThis.foreign++ })
  })
  const raise = (page, writer, thread) => page.evaluate(async (writer, times, thread) => {
    await (await import('/work.js')).raise('counted', writer, times, { thread })
  }, writer, TIMES, thread)
  await Promise.all([raise(tab, 'tab', 'worker'), raise(other, 'other', 'worker'), raise(third, 'third', 'inline')])
  const answer = await tab.evaluate(async times => {
    const deadline = performance.now() + 5_000
    const read = () => globalThis.db.collection('counters').get('shared')
    while ((await read()).total < 3 * times && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, 10))
    const counter = await read()
    await globalThis.db.close()
    return { counter, wasTold: globalThis.foreign > 0 }
  }, TIMES)
  assert.deepEqual(answer, { counter: { id: 'shared', total: 3 * TIMES, tab: TIMES, other: TIMES, third: TIMES }, wasTold: true })
  await third.close()
  await tab.bringToFront()
})

test('a worker that is ended gives closed, not a wait without end, and nothing acknowledged is lost', async () => {
  const answer = await tab.evaluate(async () => {
    const { openForTest, told } = await import('/work.js')
    let worker
    const thread = { worker: () => (worker = new Worker('/pkg/entry/worker.js', { type: 'module' })) }
    const db = await openForTest('ended', { thread })
    const entries = db.collection('entries')
    for (let id = 0; id < 50; id++) await entries.insertOne({ id, round: 1 })
    const pending = Array.from({ length: 20 }, (_, id) => entries.insertOne({ id: 100 + id, round: 2 }).then(() => 'written', error => told(error)))
    worker.terminate()
    const outcomes = await Promise.all(pending)
    const later = await entries.get(1).catch(told)
    await db.close()
    const again = await openForTest('ended', { thread })
    const kept = await again.collection('entries').find({ round: 1 }).count()
    await again.close()
    return { failed: outcomes.find(outcome => outcome !== 'written'), later, kept }
  })
  assert.equal(answer.failed.code, 'closed')
  assert.match(answer.failed.message, /worker/)
  assert.match(answer.failed.hint, /open the database again/)
  assert.equal(answer.later.code, 'closed')
  assert.equal(answer.kept, 50)
})

test('a database deleted by another tab is closed in its worker too', async () => {
  await tab.evaluate(async () => {
    const { openForTest } = await import('/work.js')
    globalThis.events = []
    globalThis.db = await openForTest('deleted', { thread: 'worker' })
    globalThis.db.on('storage', event => globalThis.events.push(event.type))
    await globalThis.db.collection('entries').insertOne({ id: 1 })
  })
  await other.evaluate(async () => (await import('/work.js')).deleteDatabase('deleted'))
  const answer = await tab.evaluate(async () => {
    const { openForTest } = await import('/work.js')
    const failure = await globalThis.db.collection('entries').insertOne({ id: 2 }).then(() => 'written', error => error.code)
    const db = await openForTest('deleted', { thread: 'worker' })
    const count = await db.collection('entries').countDocuments({})
    await db.close()
    await (await import('/work.js')).deleteDatabase('deleted')
    return { failure, count, events: globalThis.events }
  })
  assert.deepEqual(answer, { failure: 'closed', count: 0, events: ['deleted'] })
})

test('a script that is not there, or is another one, is said so', async () => {
  const answer = await tab.evaluate(async () => {
    const { openForTest, told } = await import('/work.js')
    return openForTest('nowhere', { thread: { worker: '/nothing.js' } }).then(() => 'opened', told)
  })
  assert.equal(answer.code, 'unavailable')
  assert.match(answer.hint, /hyphadb\/worker/)
})

test('no worker is left when its database is closed', async () => {
  const left = await tab.evaluate(async () => {
    const workers = async () => (await navigator.locks.query()).held.filter(({ name }) => name.startsWith('hyphadb:worker:')).length
    for (let tries = 0; tries < 100 && await workers() > 0; tries++) await new Promise(resolve => setTimeout(resolve, 10))
    return workers()
  })
  assert.equal(left, 0)
})

test('nothing was thrown outside of the calls', () => {
  // Firefox complains of the script that is not there by itself.
  assert.deepEqual([...tab.errors, ...other.errors].filter(error => !error.includes('/nothing.js')), [])
})
