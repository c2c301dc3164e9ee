// `npm run bench:scale`: how HyphaDB grows, from ten thousand documents to a million, in Chromium.
//   npm run bench:scale -- --docs 10000,100000    fewer
// Writes target/scale.json and docs/scale.svg. The last size is also read through a cache of an eighth of the documents'
// bytes: every document is checked, and memory is watched.
import { rmSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from '../../setup/build.mjs'
import { inProject } from '../../setup/environment.mjs'
import { Failure } from '../../setup/process.mjs'
import { command, ensure } from '../../setup/step.mjs'
import { BUILD_STEPS, steps } from '../../setup/steps.mjs'
import { endBrowser, startBrowser, storedBytes } from './browsers.mjs'
import { bundleSite } from './bundle.mjs'
import { versionOf } from './catalogue.mjs'
import { DOCUMENT_BYTES, drawing, summary } from './growth.mjs'
import { load, machine } from './machine.mjs'
import { highestDuring, rendererBytes } from './memory.mjs'
import { startServer } from './server.mjs'
import { sets } from './sets.mjs'
import { runPhase, runReloads } from './tab.mjs'

const BROWSER = 'chromium'
/** The page may ask for its memory without waiting for the browser's next collection. */
const MEMORY_AT_ONCE = ['--enable-blink-features=ForceEagerMeasureMemory']
const VISITS = 5
const SEED = 1
/** Of the documents as JSON: half of what the promise asks for, so that it holds however the database packs them. */
const CACHE_SHARE = 1 / 8

const usage = `npm run bench:scale -- [--docs 10000,100000,1000000] [--pkg folder] [--out target/scale.json] [--svg docs/scale.svg] [--redraw]

About six minutes for a million documents on two cores. --redraw measures nothing: it reports the run in --out again.`

function readOptions(args) {
  const text = value => ({ type: 'string', default: value })
  const { values } = parseArgs({
    args,
    options: { docs: text('10000,100000,1000000'), out: text('target/scale.json'), svg: text('docs/scale.svg'), pkg: { type: 'string' }, redraw: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  const sizes = values.docs.split(',').map(Number)
  if (!sizes.every(size => Number.isSafeInteger(size) && size >= 10_000)) throw new Failure(`--docs is \`${values.docs}\``, usage)
  return { ...values, sizes: sizes.sort((a, b) => a - b) }
}

function sound(answer, documents) {
  if (answer.error) throw new Failure(`${documents} documents: ${answer.error}`)
  return answer
}

/** One life of a browser on a profile; `work(ask, browser)`, where `ask(phase, more)` runs a phase. */
async function inBrowser(place, documents, work) {
  const browser = await startBrowser(BROWSER, place.profile(documents), MEMORY_AT_ONCE)
  try {
    const look = async () => ({ renderer_bytes: await rendererBytes(browser) })
    const ask = async (phase, more) => sound(await runPhase(browser, place.server, 'scale', phase, { seed: SEED, documents, ...more }, look), documents)
    return { ...(await work(ask, browser)), browser_version: await browser.version() }
  } finally {
    await endBrowser(browser)
  }
}

async function visits(place, documents, browser) {
  const found = await runReloads(browser, place.server, 'scale', 'first', visit => ({ seed: SEED, documents, visit }), VISITS)
  for (const answer of found) sound(answer, documents)
  return {
    open_ms: found.map(({ open_ms }) => open_ms),
    first_get_ms: found.map(({ first_get_ms }) => first_get_ms),
    cold_get_ms: found.flatMap(({ cold_get_ms }) => cold_get_ms),
  }
}

/** Everything about one size. */
async function measureSize(place, documents) {
  const load_before = load()
  const filled = await inBrowser(place, documents, ask => ask('fill'))
  const stored_bytes = await storedBytes(BROWSER, place.profile(documents))
  const asked = await inBrowser(place, documents, async (ask, browser) => {
    const renderer_empty_bytes = await rendererBytes(browser)
    const opened = await visits(place, documents, browser)
    const answer = await ask('ask')
    return { ...opened, ...answer, renderer_empty_bytes }
  })
  return { documents, ...asked, stored_bytes, load_before, load_after: load(), filled }
}

/** The largest database through a cache that is much smaller. */
async function measureWalk(place, { documents, stored_bytes }) {
  const cacheBytes = Math.floor(documents * DOCUMENT_BYTES * CACHE_SHARE)
  return inBrowser(place, documents, async (ask, browser) => {
    const { answer, highest_bytes } = await highestDuring(browser, () => ask('walk', { cacheBytes }))
    return { documents, cache_bytes: cacheBytes, stored_bytes, renderer_highest_bytes: highest_bytes, ...answer }
  })
}

async function save(file, text) {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

async function prepare(pkg) {
  await ensure(steps, ['npm', 'chromium'])
  if (pkg !== undefined) return
  await ensure(steps, BUILD_STEPS)
  await build()
}

async function measureAll(place, sizes) {
  const results = []
  for (const documents of sizes) {
    results.push(await measureSize(place, documents))
    console.log(`scale  ${documents.toLocaleString('en-US')} documents: ok (load ${load()})`)
  }
  return { results, walk: await measureWalk(place, results.at(-1)) }
}

async function measure(options) {
  await prepare(options.pkg)
  const work = inProject(`target/scale-${process.pid}`)
  process.once('exit', () => rmSync(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }))
  const pkg = resolve(options.pkg ?? inProject('pkg'))
  await bundleSite(`${work}/site`, sets.documents, ['hyphadb'], pkg)
  const server = await startServer(`${work}/site`)
  try {
    const place = { server, profile: documents => `${work}/profile-${documents}` }
    const { results, walk } = await measureAll(place, options.sizes)
    const meta = { began: new Date().toISOString(), machine: machine(), version: await versionOf('hyphadb', pkg), browser: walk.browser_version }
    return { meta, results, walk }
  } finally {
    await server.close()
  }
}

command(async args => {
  const options = readOptions(args)
  if (options.help) {
    console.log(usage)
    return 0
  }
  const out = resolve(options.out)
  const run = options.redraw ? JSON.parse(await readFile(out, 'utf8')) : await measure(options)
  await save(out, JSON.stringify(run))
  await save(out.replace(/(\.json)?$/, '.md'), summary(run))
  await save(resolve(options.svg), drawing(run))
  console.log(`\n${summary(run)}`)
  return 0
})
