// `npm run bench`: HyphaDB, its peers and the physical limit in real browsers. The options are in options.mjs.
// `npm run bench:query` is the same with `--set query`.
import { rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { build } from '../../setup/build.mjs'
import { inProject } from '../../setup/environment.mjs'
import { command, ensure } from '../../setup/step.mjs'
import { BUILD_STEPS, steps } from '../../setup/steps.mjs'
import { browsers } from './browsers.mjs'
import { bundleSite } from './bundle.mjs'
import { catalogue, needPeers, versionOf } from './catalogue.mjs'
import { machine } from './machine.mjs'
import { readOptions } from './options.mjs'
import { peersStep } from './peers.mjs'
import { progress } from './progress.mjs'
import { reportOf } from './report.mjs'
import { runAll } from './runner.mjs'
import { startServer } from './server.mjs'

/** What has to be there before anything can be measured. */
async function prepare({ adapters, browsers: names, pkg }) {
  const engines = [...new Set(names.map(name => browsers[name].engine))]
  await ensure([...steps, peersStep], ['npm', ...engines, ...(needPeers(adapters) ? [peersStep.name] : [])])
  if (pkg !== undefined || !adapters.some(name => catalogue[name].ours)) return
  await ensure(steps, BUILD_STEPS)
  await build()
}

async function about({ set, adapters, documents, rounds, workloads, browsers, seed }, pkg) {
  const versions = {}
  for (const name of adapters) versions[name] = await versionOf(name, pkg)
  return { set: set.name, began: new Date().toISOString(), machine: machine(), adapters, versions, documents, rounds, workloads, browsers, seed }
}

function tell(done, ahead) {
  const cell = done.at(-1)
  const words = cell.error ?? cell.note ?? 'ok'
  const took = `${Math.round(cell.took_ms / 1_000)} s, load ${cell.load_before}`
  console.log(`bench  ${cell.browser} round ${cell.round + 1} ${cell.adapter.padEnd(14)} ${words} (${took}; ${progress(done, ahead)})`)
}

async function save(out, run) {
  await mkdir(dirname(out), { recursive: true })
  await writeFile(out, JSON.stringify(run))
  await writeFile(out.replace(/(\.json)?$/, '.md'), reportOf(run))
}

command(async args => {
  const options = readOptions(args)
  if (options.help) {
    console.log(options.help)
    return 0
  }
  await prepare(options)
  const out = resolve(options.out)
  const work = inProject(`target/bench-${process.pid}`)
  const site = `${work}/site`
  process.once('exit', () => rmSync(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }))
  const server = await startServer(site)
  try {
    const pkg = resolve(options.pkg ?? inProject('pkg'))
    await bundleSite(site, options.set, options.adapters, pkg)
    const meta = await about(options, pkg)
    const cells = await runAll({ ...options, server, site, profiles: `${work}/profiles` }, async (done, ahead) => {
      tell(done, ahead)
      await save(out, { meta, cells: done })
    })
    console.log(`\n${reportOf({ meta, cells })}`)
    console.log(`bench  written: ${out} and .md`)
    return cells.some(cell => cell.error) ? 1 : 0
  } finally {
    await server.close()
  }
})
