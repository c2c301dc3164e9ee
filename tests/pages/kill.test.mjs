// The browser killed in the middle of commits, again and again, on one profile.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isChromium, kill, launch, newProfile, openTab } from './browser.mjs'
import { startSite } from './site.mjs'

/** A round of Firefox takes ten times as long. */
const ROUNDS = isChromium ? 22 : 3
const WRITING_MS = [20, 300]

let site, profile

before(async () => {
  site = await startSite()
  profile = await newProfile()
})

after(() => site?.close())

/** Checks the round before, then writes and is killed. */
async function play(round, acknowledged) {
  const browser = await launch({ profile })
  const page = await openTab(browser, site)
  const before = round > 0 ? await page.evaluate(async round => (await import('/work.js')).transactionsOf('killed', round), round - 1) : undefined
  if (round === ROUNDS) {
    await browser.close()
    return before
  }
  const first = new Promise(resolve => page.exposeFunction('acknowledged', (of, number) => {
    acknowledged.push([of, number])
    resolve()
  }).then(() => {
    const durability = round % 2 === 0 ? 'relaxed' : 'strict'
    // Never settles by itself: the end comes from outside.
    page.evaluate(async (round, durability) => (await import('/work.js')).writeUntilKilled('killed', round, durability), round, durability).catch(() => {})
  }))
  await first
  const [least, most] = WRITING_MS
  await new Promise(resolve => setTimeout(resolve, least + Math.random() * (most - least)))
  await kill(browser)
  return before
}

test('no acknowledged commit is lost and no transaction is torn when the browser is killed', async t => {
  const acknowledged = []
  let [lost, torn, unacknowledged] = [0, 0, 0]
  for (let round = 0; round <= ROUNDS; round++) {
    const found = await play(round, acknowledged)
    if (!found) continue
    const known = acknowledged.filter(([of]) => of === round - 1).map(([, number]) => number)
    lost += known.filter(number => found.parts[number] === undefined).length
    torn += Object.values(found.parts).filter(parts => parts !== 3).length
    torn += Object.keys(found.parts).length === found.counted ? 0 : 1
    unacknowledged += Object.keys(found.parts).length - known.length
  }
  t.diagnostic(`${ROUNDS} rounds, ${acknowledged.length} acknowledged transactions, ${unacknowledged} found beyond them`)
  assert.ok(acknowledged.length >= ROUNDS)
  assert.deepEqual({ lost, torn }, { lost: 0, torn: 0 })
})
