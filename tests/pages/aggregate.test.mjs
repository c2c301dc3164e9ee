// Random pipelines in a real tab, compared with mingo there; the same as `tests/js/aggregate_differential.test.mjs` in Node.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { launch, openTab } from './browser.mjs'
import { startSite } from './site.mjs'

/** As in Node: what mingo does of its own has to be judged by somebody. */
const seed = Number(process.env.SEED ?? 900_000)
const COUNT = Number(process.env.PIPELINES ?? 20_000)
let site, browser

before(async () => {
  const { outputFiles: [bundle] } = await build({
    entryPoints: [fileURLToPath(new URL('../js/support/differential.mjs', import.meta.url))],
    bundle: true, write: false, format: 'esm', conditions: ['default'], define: { 'process.env.SEED': 'undefined' },
  })
  site = await startSite({ '/differential.js': bundle.contents })
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await site?.close()
})

test(`${COUNT} random pipelines give what mingo gives (SEED=${seed})`, async () => {
  const tab = await openTab(browser, site)
  let failures = []
  // In parts, each within the time that a call into the tab may take.
  for (let done = 0; done < COUNT && failures.length === 0; done += 1000) {
    const part = { count: Math.min(1000, COUNT - done), seed: seed + done };
    ({ failures } = await tab.evaluate(async (given) => {
      const [package_, { compareAggregations }] = await Promise.all([import('/pkg/index.js'), import('/differential.js')])
      return compareAggregations(package_, given)
    }, part))
  }
  await tab.close()
  assert.deepEqual(failures, [])
})
