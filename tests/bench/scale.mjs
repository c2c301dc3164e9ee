// `npm run bench:scale`: how HyphaDB grows, from ten thousand documents to a million, in Chromium.
//   npm run bench:scale -- --docs 10000,100000    fewer
// Writes target/scale.json and docs/scale.svg. The last size is also read through a cache of an eighth of the documents'
// bytes: every document is checked, and memory is watched.
import { rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
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
import { chart } from './chart.mjs'
import { load, machine } from './machine.mjs'
import { highestDuring, rendererBytes } from './memory.mjs'
import { table } from './report.mjs'
import { startServer } from './server.mjs'
import { median } from './statistics.mjs'
import { runPhase, runReloads } from './tab.mjs'

const BROWSER = 'chromium'
/** The page may ask for its memory without waiting for the browser's next collection. */
const MEMORY_AT_ONCE = ['--enable-blink-features=ForceEagerMeasureMemory']
const VISITS = 5
const SEED = 1
/** Of the documents as JSON: half of what the promise asks for, so that it holds however the database packs them. */
const CACHE_SHARE = 1 / 8
const DOCUMENT_BYTES = 209
const OPEN_GROWTH_MOST = 1.3

const usage = `npm run bench:scale -- [--docs 10000,100000,1000000] [--pkg folder] [--out target/scale.json] [--svg docs/scale.svg]

About six minutes for a million documents on two cores.`

function readOptions(args) {
  const text = value => ({ type: 'string', default: value })
  const { values } = parseArgs({
    args,
    options: { docs: text('10000,100000,1000000'), out: text('target/scale.json'), svg: text('docs/scale.svg'), pkg: { type: 'string' }, help: { type: 'boolean' } },
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

const curve = (name, results, of) => ({ name, points: results.map(result => [result.documents, of(result)]).filter(([, value]) => value !== undefined) })
const mb = bytes => (bytes === undefined ? undefined : bytes / 1e6)

/** What is drawn and told. */
function panels(results) {
  return [
    { title: 'Bulk insert', unit: 'us a document', series: [curve('insert', results, result => (result.filled.bulk_insert_ms * 1_000) / result.documents)] },
    {
      title: 'Page reload', unit: 'ms',
      series: [curve('to the first get', results, result => median(result.first_get_ms)), curve('import + open', results, result => median(result.open_ms))],
    },
    {
      title: 'Get by key, p50', unit: 'us',
      series: [curve('just opened', results, result => median(result.cold_get_ms) * 1_000), curve('again', results, result => median(result.warm_get_ms) * 1_000)],
    },
    {
      title: 'Newest 50, p50', unit: 'us',
      series: [curve('of an agent, index and sort', results, result => median(result.agent_ms) * 1_000), curve('of a site, index', results, result => median(result.site_ms) * 1_000)],
    },
    {
      title: 'Memory after the queries', unit: 'MB',
      series: [curve('the process', results, result => mb(result.renderer_bytes)), curve('wasm', results, result => mb(result.memory.wasm_bytes))],
    },
    { title: 'On disk', unit: 'bytes a document', series: [curve('disk', results, result => result.stored_bytes / result.documents)] },
  ]
}

const shown = value => (value === undefined ? '-' : Number(value.toPrecision(3)).toLocaleString('en-US'))

function summary({ meta, results, walk }) {
  const drawn = panels(results)
  const rows = drawn.flatMap(({ title, unit, series }) =>
    series.map(({ name, points }) => [`${title}: ${name}, ${unit}`, ...results.map(({ documents }) => shown(points.find(([count]) => count === documents)?.[1]))]),
  )
  const [smallest, largest] = [results[0], results.at(-1)]
  const growth = median(largest.open_ms) / median(smallest.open_ms)
  const seen = kind => walk.memory.map(memory => shown(mb(memory[kind]))).join(', ')
  const lines = [
    `# Growth\n\n${meta.browser}, hyphadb ${meta.version}, ${meta.machine.processor}, ${meta.machine.cores} cores, load ${results.map(({ load_before, load_after }) => `${load_before} to ${load_after}`).join(', ')}.`,
    table(['documents', ...results.map(({ documents }) => documents.toLocaleString('en-US'))], rows),
    `Open with ${largest.documents.toLocaleString('en-US')} documents takes ${shown(growth)}x of that with ${smallest.documents.toLocaleString('en-US')} (wanted: at most ${OPEN_GROWTH_MOST}x): ${growth <= OPEN_GROWTH_MOST ? 'met' : 'NOT MET'}.`,
    `${walk.documents.toLocaleString('en-US')} documents, ${shown(mb(walk.documents * DOCUMENT_BYTES))} MB of JSON, ${shown(mb(walk.stored_bytes))} MB on disk, read through a cache of ${shown(mb(walk.cache_bytes))} MB: every document is as it was inserted, and ${walk.checked.ranges} ranges of 1,000 and ${walk.checked.gets.toLocaleString('en-US')} gets answer right. Memory from opening to the end: wasm ${seen('wasm_bytes')} MB, script ${seen('script_bytes')} MB; the process at most ${shown(mb(walk.renderer_highest_bytes))} MB (${shown(mb(smallest.renderer_empty_bytes))} MB with an empty page).`,
  ]
  return `${lines.join('\n\n')}\n`
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

command(async args => {
  const options = readOptions(args)
  if (options.help) {
    console.log(usage)
    return 0
  }
  await prepare(options.pkg)
  const work = inProject(`target/scale-${process.pid}`)
  process.once('exit', () => rmSync(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }))
  const pkg = resolve(options.pkg ?? inProject('pkg'))
  await bundleSite(`${work}/site`, ['hyphadb'], pkg)
  const server = await startServer(`${work}/site`)
  try {
    const place = { server, profile: documents => `${work}/profile-${documents}` }
    const { results, walk } = await measureAll(place, options.sizes)
    const meta = { began: new Date().toISOString(), machine: machine(), version: await versionOf('hyphadb', pkg), browser: walk.browser_version }
    const text = summary({ meta, results, walk })
    await save(resolve(options.out), JSON.stringify({ meta, results, walk }))
    await save(resolve(options.out).replace(/(\.json)?$/, '.md'), text)
    const note = `${meta.browser}, ${meta.machine.processor}, ${meta.machine.cores} cores; number of documents along the axis. Made by: npm run bench:scale`
    await save(resolve(options.svg), chart('HyphaDB as it grows', note, panels(results)))
    console.log(`\n${text}`)
    return 0
  } finally {
    await server.close()
  }
})
