// The browser killed in the middle of commits, and started again on the same profile.
//
// In Chromium all rounds are on one profile: it goes on writing behind the torn end of its own log after a kill, and may find
// that log corrupt, and drop the whole origin, one start later. Opening after a kill has to keep that from happening.
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
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
