// Connections that die under the database: closed by force, wiped by the browser, deleted by another tab.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isChromium, launch, newProfile, openTab } from './browser.mjs'
import { startSite } from './site.mjs'

let site, browser

before(async () => {
  site = await startSite()
  browser = await launch({ profile: await newProfile() })
})

after(async () => {
  await browser?.close()
  await site?.close()
})

test('a handle closed by force is replaced, and every write is told the truth', async () => {
  const page = await browser.newPage()
  await page.evaluateOnNewDocument(() => {
    globalThis.handles = []
    const { transaction } = IDBDatabase.prototype
    IDBDatabase.prototype.transaction = function (...parameters) {
      if (!globalThis.handles.includes(this)) globalThis.handles.push(this)
      return transaction.apply(this, parameters)
    }
  })
  await page.goto(site.url('/'))
  const answer = await page.evaluate(async () => {
    const { openForTest, told } = await import('/work.js')
    const db = await openForTest('forced')
    const events = []
    db.on('storage', event => events.push(event.type))
    const entries = db.collection('entries')
    const outcomes = { written: [], failed: [] }
    for (let id = 0; id < 60; id++) {
      if (id % 20 === 10) for (const handle of globalThis.handles.splice(0)) handle.close()
      try {
        await entries.insertOne({ id, round: 1 })
        outcomes.written.push(id)
      } catch (error) {
        outcomes.failed.push([id, told(error)])
      }
    }
    const found = (await entries.find({}).sort({ id: 1 }).toArray()).map(entry => entry.id)
    await db.close()
    return { ...outcomes, found, events }
  })
  assert.deepEqual(answer.failed, [])
  assert.deepEqual(answer.found, answer.written)
  assert.deepEqual(answer.events, ['lost', 'reopened', 'lost', 'reopened', 'lost', 'reopened'])
  await page.close()
})

test('a database wiped by the browser is lost, never passed off as new', { skip: !isChromium && 'needs the devtools protocol' }, async () => {
  const page = await openTab(browser, site)
  const devtools = await page.createCDPSession()
  await page.evaluate(async () => {
    const { openForTest } = await import('/work.js')
    globalThis.db = await openForTest('wiped')
    for (let id = 0; id < 10; id++) await globalThis.db.collection('entries').insertOne({ id, round: 1 })
  })
  await devtools.send('Storage.clearDataForOrigin', { origin: site.origin, storageTypes: 'indexeddb' })
  const answer = await page.evaluate(async () => {
    const { openForTest, told, deleteDatabase } = await import('/work.js')
    const failures = []
    for (let attempt = 0; attempt < 3; attempt++) {
      await globalThis.db.collection('entries').insertOne({ id: 100 + attempt, round: 1 })
        .then(() => failures.push('written'), error => failures.push(told(error).code))
    }
    await globalThis.db.close()
    await deleteDatabase('wiped')
    const db = await openForTest('wiped')
    await db.collection('entries').insertOne({ id: 1, round: 1 })
    const count = await db.collection('entries').countDocuments({})
    await db.close()
    return { failures, count }
  })
  assert.deepEqual(answer, { failures: ['lost', 'lost', 'lost'], count: 1 })
  await page.close()
})

test('a database deleted by another tab is closed, and can be opened anew', async () => {
  const [page, other] = [await openTab(browser, site), await openTab(browser, site)]
  await page.evaluate(async () => {
    const { openForTest } = await import('/work.js')
    globalThis.events = []
    globalThis.db = await openForTest('deleted')
    globalThis.db.on('storage', event => globalThis.events.push(event.type))
    await globalThis.db.collection('entries').insertOne({ id: 1, round: 1 })
  })
  await other.evaluate(async () => (await import('/work.js')).deleteDatabase('deleted'))
  const answer = await page.evaluate(async () => {
    const { openForTest, told } = await import('/work.js')
    const failure = await globalThis.db.collection('entries').insertOne({ id: 2, round: 1 }).then(() => 'written', error => told(error).code)
    const db = await openForTest('deleted')
    const count = await db.collection('entries').countDocuments({})
    await db.close()
    return { failure, count, events: globalThis.events }
  })
  assert.deepEqual(answer, { failure: 'closed', count: 0, events: ['deleted'] })
  await Promise.all([page.close(), other.close()])
})

test('another program\'s database is refused and left alone', async () => {
  const page = await openTab(browser, site)
  const answer = await page.evaluate(async () => {
    const raw = (name, version) => new Promise((resolve, reject) => {
      const request = indexedDB.open(name, version)
      request.onupgradeneeded = () => request.result.createObjectStore('notes').put('mine', 1)
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
    const { openForTest, told } = await import('/work.js')
    const answers = []
    for (const [name, version] of [['foreign', 1], ['newer', 2]]) {
      ;(await raw(name, version)).close()
      answers.push(await openForTest(name).then(() => 'opened', error => told(error).code))
      const database = await raw(name, version)
      answers.push([...database.objectStoreNames].join(' '))
      database.close()
    }
    return answers
  })
  assert.deepEqual(answer, ['corrupt', 'notes', 'unsupported', 'notes'])
  await page.close()
})

test('an opening that comes to nothing leaves no database behind', async () => {
  const page = await openTab(browser, site)
  const answer = await page.evaluate(async () => {
    const { openForTest, told } = await import('/work.js')
    const failure = await openForTest('never', { wasm: '/nothing.wasm' }).then(() => 'opened', error => told(error).code)
    // Deleting waits for whatever is still going on.
    const old = await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase('never')
      request.onsuccess = event => resolve(event.oldVersion)
      request.onerror = () => reject(request.error)
    })
    return { failure, old }
  })
  assert.deepEqual(answer, { failure: 'unavailable', old: 0 })
  await page.close()
})

test('an engine that traps in an event of the browser, where nobody waits for it, fails what is under way', async () => {
  const page = await openTab(browser, site)
  const answer = await page.evaluate(async () => {
    const { openForTest, told } = await import('/work.js')
    const db = await openForTest('trapped-unseen')
    const entries = db.collection('entries')
    await entries.insertOne({ id: 1, round: 1 })
    let running
    const { transaction } = IDBDatabase.prototype
    IDBDatabase.prototype.transaction = function (...parameters) { return (running = transaction.apply(this, parameters)) }
    const pending = entries.insertOne({ id: 2, round: 1 }).catch(told)
    while (running?.oncomplete == null) await undefined
    IDBDatabase.prototype.transaction = transaction
    // What it asks of its event has no stack left.
    const event = { get type() { throw new RangeError('Maximum call stack size exceeded') } }
    try { running.oncomplete(event) } catch { /* The browser would write it to the console. */ }
    const failure = await pending
    const again = await openForTest('trapped-unseen')
    const first = await again.collection('entries').get(1)
    await Promise.all([db.close(), again.close()])
    return { failure, first }
  })
  assert.equal(answer.failure.code, 'closed')
  assert.deepEqual(answer.first, { id: 1, round: 1 })
  await page.close()
})

test('an engine that traps loses nothing that was acknowledged, and the database can be opened again', async () => {
  const page = await openTab(browser, site)
  const answer = await page.evaluate(async () => {
    const { openForTest, told } = await import('/work.js')
    const { Engine } = await import('/pkg/engine.js')
    const db = await openForTest('trapped')
    const entries = db.collection('entries')
    for (let id = 0; id < 20; id++) await entries.insertOne({ id, round: 1 })
    const { request } = Engine.prototype
    const pending = entries.insertOne({ id: 100, round: 2 }).then(() => 'written', error => error.code)
    await Promise.resolve().then(() => undefined)
    // No such length can be had: the allocation in front of the call aborts.
    Engine.prototype.request = function () { return request.call(this, { length: 0xfffffff0 }) }
    const failure = await entries.get(1).catch(told)
    Engine.prototype.request = request
    const again = await openForTest('trapped')
    const kept = await again.collection('entries').find({ round: 1 }).count()
    await again.collection('entries').insertOne({ id: 200, round: 3 })
    await Promise.all([db.close(), again.close()])
    return { pending: await pending, failure, kept }
  })
  assert.equal(answer.failure.code, 'closed')
  assert.match(answer.failure.hint, /what was acknowledged is safe/)
  assert.equal(answer.kept, 20)
  assert.ok(['written', 'closed'].includes(answer.pending))
  await page.close()
})
