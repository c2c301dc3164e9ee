// `npm run bench:codec`: the boundary's codec beside what is usual, in Chromium.
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { build } from 'esbuild'
import { inProject } from '../../../setup/environment.mjs'
import { Failure } from '../../../setup/process.mjs'
import { command, ensure } from '../../../setup/step.mjs'
import { BUILD_STEPS, steps } from '../../../setup/steps.mjs'
import { endBrowser, startBrowser } from '../browsers.mjs'
import { load, machine } from '../machine.mjs'
import { number, parsed } from '../options.mjs'
import { peersStep } from '../peers.mjs'
import { startServer } from '../server.mjs'
import { buildWays } from './build.mjs'
import { codecReport } from './report.mjs'

const COUNTS = [1_000, 1]
const HERE = inProject('tests/bench/codec')

const usage = `npm run bench:codec -- [options]

  --rounds n   of all ways, in turns [60]
  --seed n     of the documents [1]
  --out file   where to write; the table goes beside it as .md [target/codec.json]

Takes half a minute, once the wasm of the comparison is built.`

async function bundle(site, glue) {
  await rm(site, { recursive: true, force: true })
  await mkdir(site, { recursive: true })
  await copyFile(inProject('tests/bench/page/index.html'), `${site}/index.html`)
  await copyFile(`${glue}/engine.wasm`, `${site}/engine.wasm`)
  await build({
    entryPoints: { main: `${HERE}/page.js` }, outdir: site, bundle: true, format: 'esm', target: 'es2022', alias: { engine: `${glue}/engine.js` }, logLevel: 'silent',
  }).catch(error => {
    throw new Failure(`the page cannot be bundled: ${error.message}`)
  })
}

/** Versions of what we are compared with, as the lock files pin them. */
async function versions() {
  const lock = await readFile(`${HERE}/Cargo.lock`, 'utf8')
  const crate = name => lock.match(new RegExp(`name = "${name}"\\nversion = "([^"]+)"`))?.[1]
  const { dependencies } = JSON.parse(await readFile(inProject('tests/bench/package.json'), 'utf8'))
  const crates = ['serde-wasm-bindgen', 'serde_json', 'rmp-serde']
  return { msgpackr: dependencies.msgpackr, ...Object.fromEntries(crates.map(name => [name, crate(name)])) }
}

async function inChromium(server, profile, settings) {
  const browser = await startBrowser('chromium', profile)
  try {
    const tab = await browser.newPage()
    await tab.goto(server.url('/'), { waitUntil: 'load' })
    await tab.waitForFunction(() => globalThis.compare !== undefined)
    const load_before = load()
    const found = await tab.evaluate(given => globalThis.compare(given), settings)
    return { ...found, browser: await browser.version(), load_before, load_after: load() }
  } finally {
    await endBrowser(browser)
  }
}

command(async args => {
  const values = parsed(args, { rounds: '60', seed: '1', out: 'target/codec.json' })
  if (!values) return void console.log(usage)
  const [rounds, seed] = [number('rounds', values.rounds, 1), number('seed', values.seed, 0)]
  await ensure([...steps, peersStep], [...BUILD_STEPS, 'chromium', peersStep.name])
  const began = new Date().toISOString()
  const work = inProject(`target/bench-codec-${process.pid}`)
  const server = await startServer(`${work}/site`)
  try {
    await bundle(`${work}/site`, await buildWays())
    const { exactness, runs, ...about } = await inChromium(server, `${work}/profile`, { rounds, seed, counts: COUNTS })
    const run = { meta: { began, machine: machine(), rounds, versions: await versions(), ...about }, exactness, runs }
    const out = resolve(values.out)
    await mkdir(dirname(out), { recursive: true })
    await writeFile(out, JSON.stringify(run))
    await writeFile(out.replace(/(\.json)?$/, '.md'), codecReport(run))
    console.log(`${codecReport(run)}\nbench  written: ${out} and .md`)
  } finally {
    await server.close()
    await rm(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
})
