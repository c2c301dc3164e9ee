// The page and the adapters as a browser loads them: bundled and minified, each adapter in a folder of its own.
//
// Not the server. Every database is bundled in the same way, ours too.
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { inProject } from '../../setup/environment.mjs'
import { Failure } from '../../setup/process.mjs'
import { catalogue, inPackage } from './catalogue.mjs'

const HERE = inProject('tests/bench')

const SHARED = {
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  splitting: true,
  legalComments: 'none',
  logLevel: 'silent',
  define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
}

async function bundleInto(folder, entries, more = {}) {
  await build({
    ...SHARED,
    ...more,
    entryPoints: Object.entries(entries).map(([out, file]) => ({ in: file, out })),
    outdir: folder,
    external: ['*.wasm', '*.data', ...(more.external ?? [])],
  }).catch(error => {
    throw new Failure(`${basename(folder)} cannot be bundled: ${error.message}`)
  })
}

/** Where HyphaDB's scripts look for the engine: beside themselves, wherever they were bundled to. */
const ENGINE_PLACES = ['.', 'entry']

/** The scripts and files of HyphaDB that its own script asks for by address: the engine, and the worker where one is used. */
function ownParts(pkg, { usesWorker }) {
  const worker = join(pkg, 'entry/worker.js')
  return { scripts: usesWorker && existsSync(worker) ? { 'entry/worker': worker } : {}, assets: ENGINE_PLACES.map(place => [join(pkg, 'engine.wasm'), place]) }
}

async function bundleAdapter(set, name, folder, pkg) {
  const { ours, workers = [], assets = [], external } = catalogue[name]
  const script = file => join(HERE, set.folder, `${file}.js`)
  const own = ours ? ownParts(pkg, catalogue[name]) : { scripts: {}, assets: [] }
  const scripts = Object.fromEntries(workers.map(worker => [worker, script(worker)]))
  await bundleInto(folder, { index: script(name), ...scripts, ...own.scripts }, {
    alias: { hyphadb: join(pkg, 'entry/browser.js') },
    external,
  })
  for (const [file, place] of [...own.assets, ...assets.map(([from, file]) => [inPackage(from, file), '.'])]) {
    await mkdir(join(folder, place), { recursive: true })
    await copyFile(file, join(folder, place, basename(file)))
  }
}

/** Writes the site for these adapters of a set into `folder`; `pkg` is the built package of HyphaDB. */
export async function bundleSite(folder, set, names, pkg) {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await copyFile(join(HERE, 'page/index.html'), join(folder, 'index.html'))
  await bundleInto(folder, { main: join(HERE, 'page/main.js') }, { external: ['/adapters/*'] })
  for (const name of names) await bundleAdapter(set, name, join(folder, 'adapters', name), pkg)
}
