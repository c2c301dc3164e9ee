// The browser killed in the middle of commits, and started again on the same profile.
//
// In Chromium all rounds are on one profile: what a kill leaves behind there may cost the whole origin one or two starts later,
// by a log with a torn end (`facade/fresh_log.ts`) and by two undo logs of one database (`storage/indexed_db/writes.rs`).
import assert from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isChromium, kill, launch, newProfile, openTab } from './browser.mjs'
import { startSite } from './site.mjs'

/** A start of Firefox takes several times as long. */
const ROUNDS = isChromium ? 20 : 2
const WRITING_MS = [20, 300]

let site

before(async () => {
  site = await startSite()
})

after(() => site?.close())

/** Writes until the browser is killed; answers the transactions that were acknowledged. */
async function writeAndDie(profile, round) {
  const browser = await launch({ profile })
  const page = await openTab(browser, site)
  const acknowledged = []
  const first = new Promise((resolve, reject) => {
    page.exposeFunction('acknowledged', (of, number) => {
      acknowledged.push(number)
      resolve()
    }).then(() => {
      const durability = round % 2 === 0 ? 'relaxed' : 'strict'
      // Ends only by a failure: the other end comes from outside.
      page.evaluate(async (round, durability) => (await import('/work.js')).writeUntilKilled('killed', round, durability), round, durability)
        .catch(error => reject(error))
    }, reject)
  })
  await first
  const [least, most] = WRITING_MS
  await new Promise(resolve => setTimeout(resolve, least + Math.random() * (most - least)))
  await kill(browser)
  return acknowledged
}

/** What a new browser finds of it. */
async function lookAgain(profile, round) {
  const browser = await launch({ profile })
  const page = await openTab(browser, site)
  const found = await page.evaluate(async round => (await import('/work.js')).transactionsOf('killed', round), round)
  await kill(browser)
  return found
}

test('no acknowledged commit is lost and no transaction is torn when the browser is killed', async t => {
  let [total, lost, torn, more] = [0, 0, 0, 0]
  let profile = await newProfile()
  for (let round = 0; round < ROUNDS; round++) {
    // What drives Firefox cannot start it twice on a profile that it was killed on.
    if (!isChromium && round > 0) profile = await newProfile()
    const acknowledged = await writeAndDie(profile, round)
    const { parts, counted } = await lookAgain(profile, round)
    total += acknowledged.length
    lost += acknowledged.filter(number => parts[number] === undefined).length
    torn += Object.values(parts).filter(count => count !== 3).length
    torn += Object.keys(parts).length === counted ? 0 : 1
    more += Object.keys(parts).length - acknowledged.length
  }
  await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  t.diagnostic(`${ROUNDS} rounds, ${total} acknowledged transactions, ${more} found beyond them`)
  assert.ok(total >= ROUNDS)
  assert.deepEqual({ lost, torn }, { lost: 0, torn: 0 })
})

test('the log that Chromium found at its start is put away soon after a database was opened', { skip: !isChromium }, async () => {
  const profile = await newProfile()
  const logs = async () => {
    const origins = join(profile, 'Default/IndexedDB')
    const [folder] = (await readdir(origins)).filter(name => name.endsWith('.leveldb'))
    return (await readdir(join(origins, folder))).filter(name => name.endsWith('.log'))
  }
  await writeAndDie(profile, 0)
  const found = await logs()
  const browser = await launch({ profile })
  const page = await openTab(browser, site)
  await page.evaluate(async () => { await (await import('/work.js')).openForTest('killed') })
  let left
  for (let tries = 0; tries < 500 && left?.length !== 0; tries++) {
    await new Promise(resolve => setTimeout(resolve, 10))
    left = (await logs()).filter(name => found.includes(name))
  }
  await browser.close()
  assert.deepEqual(left, [])
})

test('all writes have an object store in common', async () => {
  const browser = await launch({ profile: await newProfile() })
  const page = await openTab(browser, site)
  const scopes = await page.evaluate(async () => {
    const scopes = []
    const { transaction } = IDBDatabase.prototype
    IDBDatabase.prototype.transaction = function (stores, mode, ...hints) {
      if (mode === 'readwrite' && this.name === 'turns') scopes.push([...stores])
      return transaction.call(this, stores, mode, ...hints)
    }
    const { noise, openForTest } = await import('/work.js')
    const db = await openForTest('turns')
    const entries = db.collection('entries')
    for (let round = 0; round < 40; round++) {
      await entries.insertMany(Array.from({ length: 20 }, (_, part) => ({ id: `${round}-${part}`, round, bytes: noise(20_000) })))
      if (round % 4 === 3) await entries.deleteMany({ round: round - 2 })
    }
    await db.close()
    return scopes
  })
  await browser.close()
  for (const store of ['log', 'main']) assert.ok(scopes.some(scope => scope.includes(store)), `nothing was written to ${store}`)
  assert.deepEqual(scopes.filter(scope => !scope.includes('backup')), [])
})
