// Blocks that come into memory behind the first read, in real tabs.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, newProfile, openTab } from './browser.mjs'
import { startSite } from './site.mjs'

/** About 12 MB, and a little more than a checkpoint each: most of it is in segments. */
const DOCUMENTS = 3_000
const DOCUMENT_BYTES = 4_000

// Not in the hook below: at its end the profile would be thrown away.
const profile = await newProfile()
let site, browser

before(async () => {
  site = await startSite()
  browser = await launch({ profile })
  await inTab(async (documents, bytes) => {
    const { noise, openForTest } = await import('/work.js')
    const db = await openForTest('preload')
    const entries = db.collection('entries')
    for (let id = 0; id < documents; id += 100) {
      await entries.insertMany(Array.from({ length: 100 }, (_, more) => ({ id: id + more, bytes: noise(bytes) })))
    }
    await db.close()
  })
})

after(async () => {
  await browser?.close()
  await site?.close()
})

/** Runs `work` in a tab of its own, which must end without an error that nobody caught. */
async function inTab(work, ...more) {
  const tab = await openTab(browser, site)
  const errors = []
  tab.on('pageerror', error => errors.push(String(error)))
  try {
    return await tab.evaluate(work, DOCUMENTS, DOCUMENT_BYTES, ...more)
  } finally {
    await tab.close()
    assert.deepEqual(errors, [])
  }
}

/** Reads one document; once nothing is fetched any more reads all; answers how often the storage was asked in each. */
async function readInTwoParts(documents, bytes, options) {
  let gets = 0
  const { get } = IDBObjectStore.prototype
  IDBObjectStore.prototype.get = function (...given) {
    gets++
    return get.apply(this, given)
  }
  const { openForTest } = await import('/work.js')
  const db = await openForTest('preload', options)
  const entries = db.collection('entries')
  gets = 0
  await entries.get(7)
  const deadline = performance.now() + 20_000
  for (let seen = -1, same = 0; same < 20 && performance.now() < deadline; ) {
    await new Promise(resolve => setTimeout(resolve, 20))
    same = seen === gets ? same + 1 : 0
    seen = gets
  }
  const behind = gets
  gets = 0
  const all = await entries.find({}).toArray()
  const asked = gets
  await db.close()
  return { behind, asked, right: all.length === documents && all.every(({ id, bytes: { length } }, place) => id === place && length === bytes) }
}

test('behind the first read everything comes into memory', async () => {
  const { behind, asked, right } = await inTab(readInTwoParts)
  assert.ok(right)
  assert.ok(behind > 10, `${behind} values were read behind the first document`)
  assert.equal(asked, 0, 'to read all documents the storage was asked')
})

for (const [name, options] of [['preload: false', { preload: false }], ['a cache that is too small for it', { cacheBytes: 1_000_000 }]]) {
  test(`${name}: only what is asked for comes into memory`, async () => {
    const { behind, asked, right } = await inTab(readInTwoParts, options)
    assert.ok(right)
    assert.ok(behind < 10, `${behind} values were read behind the first document`)
    assert.ok(asked > 10)
  })
}

test('a database may be closed while that goes on, and opened again', async () => {
  const found = await inTab(async () => {
    const { openForTest } = await import('/work.js')
    const found = []
    for (let time = 0; time < 10; time++) {
      const db = await openForTest('preload')
      const entries = db.collection('entries')
      const document = await entries.get(time * 100)
      for (let turn = 0; turn < time; turn++) await new Promise(resolve => setTimeout(resolve, 0))
      await db.close()
      found.push(document.id)
    }
    return found
  })
  assert.deepEqual(found, Array.from({ length: 10 }, (_, time) => time * 100))
})
