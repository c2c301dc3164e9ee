// `npm run bench:profile`: which step of the work takes which share of the time, in Chromium.
//
// Not how long things take: the profiler slows everything, by about a tenth. The wasm is the release with the names of
// its functions, in target/.
import { cp, copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { build as bundle } from 'esbuild'
import { build, packageOf } from '../../../setup/build.mjs'
import { inProject } from '../../../setup/environment.mjs'
import { Failure } from '../../../setup/process.mjs'
import { command, ensure } from '../../../setup/step.mjs'
import { BUILD_STEPS, steps as setUp } from '../../../setup/steps.mjs'
import { endBrowser, startBrowser } from '../browsers.mjs'
import { load, machine } from '../machine.mjs'
import { number, oneOf, parsed } from '../options.mjs'
import { figure, table } from '../report.mjs'
import { startServer } from '../server.mjs'
import { attributed, steps } from './steps.mjs'

const WORKLOADS = ['W1', 'W2', 'W3', 'W4', 'W5', 'W5b', 'W6', 'W9']
const QUERIES = ['Q1', 'Q2', 'Q3', 'Q4']
/** The load of each of the two: their databases have the same name and other indexes, so that each has a profile of its own. */
const LOADS = { W1: WORKLOADS, Q0: ['Q0', ...QUERIES] }
const INTERVAL_US = 100

const usage = `npm run bench:profile -- [options]

  --workload a,b   ${WORKLOADS.join(' ')} [these]; ${QUERIES.join(' ')}
  --docs n         how many documents, at least 10000 [100000]
  --functions n    tell also the functions that took most, so many of each part [0]
  --out file       where to write; the table goes beside it as .md [target/profile.json]

Takes about a minute, once the wasm with names is built.`

async function makeSite(folder) {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await copyFile(inProject('tests/bench/page/index.html'), `${folder}/index.html`)
  // The package as it is, for its files tell the steps apart.
  await cp(packageOf('named'), `${folder}/pkg`, { recursive: true })
  await bundle({
    entryPoints: { main: inProject('tests/bench/profile/page.js') }, outdir: folder, bundle: true, format: 'esm', logLevel: 'silent',
    alias: { hyphadb: '/pkg/entry/browser.js' }, external: ['/pkg/*'],
  })
}

/** Runs a workload in a fresh tab; answers its parts, profiled. */
async function profiled(browser, server, workload, settings) {
  const tab = await browser.newPage()
  await tab.goto(server.url('/'), { waitUntil: 'load' })
  await tab.waitForFunction(() => globalThis.prepare !== undefined)
  const parts = await tab.evaluate((...given) => globalThis.prepare(...given), workload, settings)
  const session = await tab.createCDPSession()
  await session.send('Profiler.enable')
  await session.send('Profiler.setSamplingInterval', { interval: INTERVAL_US })
  // One profile for all parts: of code that was there before a profile began, the profiler may not know the name.
  await session.send('Profiler.start')
  const wall_ms = await tab.evaluate(() => globalThis.runParts())
  const { profile } = await session.send('Profiler.stop')
  await tab.close()
  const found = attributed(profile)
  if (found.length !== parts.length) throw new Failure(`the profiler has seen ${found.length} of ${parts.length} parts of ${workload}`, 'try again on a quieter machine')
  return parts.map((part, place) => ({ workload, ...part, wall_ms: wall_ms[place], ...found[place] }))
}

/** Each life of the browser on the same profile: first the load, then the others. Answers which browser, and parts. */
async function runAll(server, profile, workloads, settings) {
  const found = []
  let version
  const lives = Object.entries(LOADS).flatMap(([load, among]) => {
    const wanted = workloads.filter(name => among.includes(name))
    return wanted.length ? [{ load, some: [load] }, { load, some: wanted.filter(name => name !== load) }] : []
  })
  for (const { load, some } of lives) {
    if (!some.length) continue
    const browser = await startBrowser('chromium', `${profile}-${load}`)
    try {
      version = await browser.version()
      for (const workload of some) found.push(...(await profiled(browser, server, workload, settings)))
    } finally {
      await endBrowser(browser)
    }
  }
  return { version, parts: found.filter(({ workload }) => workloads.includes(workload)) }
}

const share = (ms, total) => (ms / total < 0.0005 ? '-' : `${((ms / total) * 100).toFixed(1)}`)
const total = ({ ms }) => Object.values(ms).reduce((sum, each) => sum + each, 0)

function each({ wall_ms, count }) {
  const ms = wall_ms / count
  return ms < 0.1 ? `${figure(ms * 1_000)} us` : `${figure(ms)} ms`
}

function reportOf({ meta, parts }) {
  const rows = Object.entries(steps).map(([step, words]) => [words, ...parts.map(part => share(part.ms[step], total(part)))])
  return `${[
    '# Where the time goes',
    `HyphaDB on the page, ${meta.documents.toLocaleString('en-US')} documents, in W with three indexes and in Q without one: the share of each step in percent, by the browser's sampling profiler, every ${INTERVAL_US} us, on the release build with names. The profiler slows all of it, so times are larger than those of the benchmark. ${meta.browser}, ${meta.machine.processor}, ${meta.machine.cores} cores, load ${meta.load_before} to ${meta.load_after}; begun ${meta.began}. Made by \`npm run bench:profile\`.`,
    table(['', ...parts.map(({ workload, name }) => `${workload} ${name}`)], [['takes, profiled', ...parts.map(each)], ...rows]),
    'The work of a checkpoint or a compaction counts there, whatever it is; compression and copying count for the step that asked for them. Waiting is time in which the thread of the engine had nothing to do.',
  ].join('\n\n')}\n`
}

function tellFunctions({ workload, name, functions }, most) {
  console.log(`${workload} ${name}`)
  for (const [label, ms] of functions.slice(0, most)) console.log(`${ms.toFixed(1).padStart(9)} ms  ${label}`)
}

command(async args => {
  const values = parsed(args, { workload: WORKLOADS.join(','), docs: '100000', functions: '0', out: 'target/profile.json' })
  if (!values) return void console.log(usage)
  const workloads = oneOf('workload', values.workload, [...WORKLOADS, ...QUERIES])
  const functions = number('functions', values.functions, 0)
  const settings = { seed: 1, documents: number('docs', values.docs, 10_000) }
  await ensure(setUp, [...BUILD_STEPS, 'chromium'])
  await build({ mode: 'named' })
  const meta = { began: new Date().toISOString(), machine: machine(), ...settings, load_before: load() }
  const work = inProject(`target/bench-profile-${process.pid}`)
  const server = await startServer(`${work}/site`)
  try {
    await makeSite(`${work}/site`)
    const { version, parts } = await runAll(server, `${work}/profile`, workloads, settings)
    const run = { meta: { ...meta, browser: version, load_after: load() }, parts }
    const out = resolve(values.out)
    await mkdir(dirname(out), { recursive: true })
    await writeFile(out, JSON.stringify(run))
    await writeFile(out.replace(/(\.json)?$/, '.md'), reportOf(run))
    if (functions) for (const part of parts) tellFunctions(part, functions)
    console.log(`\n${reportOf(run)}\nbench  written: ${out} and .md`)
  } finally {
    await server.close()
    await rm(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
})
