// Filters and updates mean what they mean in mingo, but for the deviations of docs/queries.md. SEED replays a run, COUNT
// makes it longer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memory, open } from 'hyphadb'
import * as mingo from 'mingo'
import { freshName } from './support/check.mjs'
import { compareFilters, compareUpdates, configuration } from './support/mingo/compare.mjs'
import { generator, seed } from './support/random.mjs'

const COUNT = Number(process.env.COUNT ?? 20_000)

async function compare(t, compareSome, count) {
  const db = await open({ name: freshName(), storage: memory(), collections: configuration })
  t.after(() => db.close())
  let tally
  try {
    tally = await compareSome({ mingo, db, random: generator(), count })
  } catch (cause) {
    throw new Error(`SEED=${seed}: ${cause.message}`, { cause })
  }
  t.diagnostic(`SEED=${seed}: ${JSON.stringify(tally)}`)
  return tally
}

/** A deviation that never shows would be none. */
function checkDeviations({ deviations }) {
  const silent = Object.entries(deviations).filter(([, { asked, differing }]) => asked > 300 && differing === 0)
  assert.deepEqual(silent, [], 'every deviation is one')
}

test(`${COUNT} random filters find what mingo finds`, async t => {
  const tally = await compare(t, compareFilters, COUNT)
  const asked = Object.values(tally.deviations).reduce((sum, { asked }) => sum + asked, tally.compared)
  assert.ok(tally.compared > asked / 2, 'most of it is compared')
  checkDeviations(tally)
})

test(`${COUNT} random updates make what mingo makes`, async t => {
  const tally = await compare(t, compareUpdates, COUNT)
  assert.ok(tally.cases < COUNT * 1.5, 'most of it is compared')
  checkDeviations(tally)
})
