// Filters and updates in a real browser mean what they mean in mingo: the cases of `tests/js/mingo.test.mjs`.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { seed } from '../js/support/random.mjs'
import { engine, launch, newProfile, openTab } from './browser.mjs'
import { startSite } from './site.mjs'

const COUNT = Number(process.env.COUNT ?? 20_000)

let site, browser, tab

before(async () => {
  site = await startSite({ '/cases.js': await bundled() })
  browser = await launch({ profile: await newProfile() })
  tab = await openTab(browser, site)
})

after(async () => {
  await browser?.close()
  await site?.close()
})

/** mingo, the cases and their comparison as one module. */
async function bundled() {
  const contents = `
    export * as mingo from 'mingo'
    export * from './js/support/mingo/compare.mjs'
    export { generator } from './js/support/random.mjs'`
  const stdin = { contents, resolveDir: fileURLToPath(new URL('..', import.meta.url)) }
  return (await build({ stdin, bundle: true, format: 'esm', platform: 'browser', write: false, logLevel: 'error' })).outputFiles[0].contents
}

const compare = (name, storage) => tab.evaluate(async (name, storage, seed, count) => {
  const [{ mingo, generator, configuration, ...cases }, { memory, open }] = await Promise.all([import('/cases.js'), import('/pkg/index.js')])
  const db = await open({ name, collections: configuration, ...(storage === 'memory' && { storage: memory() }) })
  try {
    return await cases[name]({ mingo, db, random: generator(seed), count })
  } finally {
    await db.close()
  }
}, name, storage, seed, COUNT)

for (const [name, storage] of [['compareFilters', 'IndexedDB'], ['compareUpdates', 'memory']]) {
  test(`${name} in ${engine}: ${COUNT} random cases come out as in mingo`, async (t) => {
    const tally = await compare(name, storage).catch((cause) => { throw new Error(`SEED=${seed}: ${cause.message}`, { cause }) })
    t.diagnostic(`SEED=${seed}: ${JSON.stringify(tally)}`)
    assert.ok(tally.cases >= COUNT && tally.compared >= COUNT)
    assert.deepEqual(tab.errors, [])
  })
}
