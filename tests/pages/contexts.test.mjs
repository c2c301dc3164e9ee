// Several tabs, a worker and a service worker on one database: equal peers.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { isChromium, launch, newProfile, openTab } from './browser.mjs'
import { startSite } from './site.mjs'

const WRITERS = 3
const TIMES = 1_700

let site, browser, tab, other

before(async () => {
  const blank = await readFile(new URL('site/index.html', import.meta.url))
  site = await startSite({ '/bundled.js': await bundledServiceWorker(), '/module/': blank, '/classic/': blank })
  browser = await launch({ profile: await newProfile() })
  ;[tab, other] = [await openTab(browser, site), await openTab(browser, site)]
})

after(async () => {
  await browser?.close()
  await site?.close()
})

/** One classic script, which does not know where it came from: the engine comes out of the copy inside it. */
async function bundledServiceWorker() {
  const file = path => fileURLToPath(new URL(path, import.meta.url))
  const served = { name: 'served', setup: ({ onResolve }) => onResolve({ filter: /^\/pkg\// }, ({ path }) => ({ path: file(`../..${path}`) })) }
  const options = { entryPoints: [file('site/service_worker.js')], plugins: [served], bundle: true, minify: true, format: 'iife', write: false, logLevel: 'error', logOverride: { 'empty-import-meta': 'silent' } }
  return (await build(options)).outputFiles[0].contents
}

test('two tabs and a worker writing at once lose no update', async t => {
  const start = performance.now()
  const raise = (page, writer) => page.evaluate(async (writer, times) => {
    await (await import('/work.js')).raise('counters', writer, times)
  }, writer, TIMES)
  const work = tab.evaluate(times => new Promise((resolve, reject) => {
    const worker = new Worker('/worker.js', { type: 'module' })
    worker.onmessage = ({ data }) => (data.done ? resolve() : reject(new Error(data.error)))
    worker.onerror = event => reject(new Error(`worker: ${event.message}`))
    worker.postMessage({ name: 'counters', writer: 'worker', times })
  }), TIMES)
  await Promise.all([raise(tab, 'tab'), raise(other, 'other'), work])
  const counter = await other.evaluate(async () => {
    const { openForTest } = await import('/work.js')
    const db = await openForTest('counters')
    const counter = await db.collection('counters').get('shared')
    await db.close()
    return counter
  })
  t.diagnostic(`${WRITERS * TIMES} commits in ${((performance.now() - start) / 1000).toFixed(1)} s`)
  assert.deepEqual(counter, { id: 'shared', total: WRITERS * TIMES, tab: TIMES, other: TIMES, worker: TIMES })
})

test('a tab is told of what the other writes, and sees it', async () => {
  await tab.evaluate(async () => {
    const { openForTest } = await import('/work.js')
    const db = globalThis.db = await openForTest('following')
    globalThis.changes = []
    db.on('change', change => globalThis.changes.push(change))
  })
  const written = await other.evaluate(async () => {
    const { openForTest } = await import('/work.js')
    const db = await openForTest('following')
    const { seq } = await db.collection('entries').insertOne({ id: 'a', round: 1 })
    await db.collection('entries').updateOne({ id: 'a' }, { $set: { round: 2 } })
    await db.close()
    return seq
  })
  const changes = await tab.evaluate(async () => {
    const deadline = performance.now() + 5_000
    const seen = () => globalThis.changes.flatMap(change => change.changes)
    while (performance.now() < deadline && seen().length < 2) await new Promise(resolve => setTimeout(resolve, 10))
    return globalThis.changes.map(({ seq, own, changes }) => ({ seq, own, changes }))
  })
  assert.equal(changes[0].seq, written)
  assert.ok(changes.every(change => !change.own))
  assert.deepEqual(changes.flatMap(change => change.changes.map(({ collection, kind, key }) => [collection, kind, key])), [
    ['entries', 'insert', 'a'], ['entries', 'update', 'a'],
  ])
  assert.deepEqual(await tab.evaluate(() => globalThis.db.collection('entries').get('a')), { id: 'a', round: 2 })
  await tab.evaluate(() => globalThis.db.close())
})

test('a transaction survives any await, alone or against another tab', async () => {
  const answer = await tab.evaluate(async () => {
    const { openForTest, noise } = await import('/work.js')
    const db = await openForTest('awaits')
    const rival = await openForTest('awaits')
    let runs = 0
    await db.collection('counters').put({ id: 'n', n: 0 })
    await db.transaction(async tx => {
      runs++
      const counters = tx.collection('counters')
      const { n } = await counters.get('n')
      await crypto.subtle.digest('SHA-256', noise(65_536))
      await fetch('/')
      await new Promise(resolve => setTimeout(resolve, 20))
      if (runs === 1) await rival.collection('counters').updateOne({ id: 'n' }, { $inc: { n: 10 } })
      await counters.put({ id: 'n', n: n + 1 })
    })
    const after = await db.collection('counters').get('n')
    await Promise.all([db.close(), rival.close()])
    return { runs, after }
  })
  assert.deepEqual(answer, { runs: 2, after: { id: 'n', n: 11 } })
})

test('documents are there after a reload, whatever their values', async () => {
  await tab.evaluate(async () => {
    const { openForTest } = await import('/work.js')
    const db = await openForTest('reloaded')
    await db.collection('entries').insertOne({
      id: 'all', when: new Date(1_700_000_000_123), bytes: new Uint8Array([0, 255]), big: -(2n ** 63n), zero: -0, none: null,
      nested: { list: [1.5, 'two', [true]], text: 'emoji 😀' }, ['__proto__']: 'a field',
    })
    // No close: a reload does not ask.
  })
  await tab.reload({ waitUntil: 'load' })
  const found = await tab.evaluate(async () => {
    const { openForTest } = await import('/work.js')
    const db = await openForTest('reloaded')
    const all = await db.collection('entries').get('all')
    await db.close()
    return {
      when: all.when instanceof Date && all.when.getTime(), bytes: all.bytes instanceof Uint8Array && [...all.bytes],
      big: String(all.big), isNegativeZero: Object.is(all.zero, -0), none: all.none, nested: all.nested,
      proto: Object.getOwnPropertyDescriptor(all, '__proto__')?.value,
    }
  })
  assert.deepEqual(found, {
    when: 1_700_000_000_123, bytes: [0, 255], big: '-9223372036854775808', isNegativeZero: true, none: null,
    nested: { list: [1.5, 'two', [true]], text: 'emoji 😀' }, proto: 'a field',
  })
})

const SERVICE_WORKERS = {
  'as a module, bundled by nobody': { script: '/service_worker.js', type: 'module', skip: !isChromium && 'needs module service workers' },
  'bundled into a classic script': { script: '/bundled.js', type: 'classic' },
}

for (const [how, { script, type, skip = false }] of Object.entries(SERVICE_WORKERS)) test(`a service worker, ${how}, has the same database open`, { skip }, async () => {
  const page = await openTab(browser, site, `/${type}/`)
  const answer = await page.evaluate(async (script, type) => {
    const registration = await navigator.serviceWorker.register(script, { type, scope: `/${type}/` })
    if (!navigator.serviceWorker.controller) {
      await new Promise(resolve => navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }))
    }
    const { open } = await import('/work.js')
    const name = `served ${type}`
    const address = `/notes?database=${encodeURIComponent(name)}`
    const db = await open({ name, collections: { notes: { key: 'id' } } })
    await db.collection('notes').put({ id: '1', from: 'page' })
    const written = await fetch(`${address}&id=2`, { method: 'POST' })
    if (!written.ok) throw new Error(await written.text())
    const seen = await written.json()
    await db.collection('notes').put({ id: '3', from: 'page' })
    // What the other wrote last is seen when its hint has come.
    const soon = async look => {
      const deadline = performance.now() + 5_000
      let ids = []
      while (ids.length < 3 && performance.now() < deadline) {
        await new Promise(resolve => setTimeout(resolve, 10))
        ids = (await look()).map(note => note.id)
      }
      return ids
    }
    const again = await soon(async () => (await fetch(address)).json())
    const mine = await soon(() => db.collection('notes').find({}).sort({ id: 1 }).toArray())
    await db.close()
    await registration.unregister()
    return { seen, again, mine }
  }, script, type)
  assert.deepEqual(answer, {
    seen: [{ id: '1', from: 'page' }, { id: '2', from: 'service worker' }], again: ['1', '2', '3'], mine: ['1', '2', '3'],
  })
  assert.deepEqual(page.errors, [])
  await page.close()
})

test('nothing was thrown outside of the calls', () => {
  assert.deepEqual([...tab.errors, ...other.errors], [])
})
