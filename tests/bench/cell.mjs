// One cell: one adapter, one round, one browser, a profile of its own. Of the set `documents`:
//
//   write    a new database; then the browser is closed
//   cold     the browser started again: import, open, first query
//   reload   the page loaded again, some times: import, open, first get
//   read     by key, by index, by range
//   change   insert, update, remove
// Of the set `query`:
//   load     a new database; then the browser is closed
//   first    the page loaded again, some times: each time one question
//   again    all questions, many times
//   live, crowd, schema, text   each with databases of its own
// Not the measuring itself, which is the page's; here only files are weighed.
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { endBrowser, startBrowser, storedBytes } from './browsers.mjs'
import { load } from './machine.mjs'
import { runPhase, runReloads } from './tab.mjs'

/** What ends a cell early; the report tells it. */
class Ended extends Error {
  constructor({ error, notThere }) {
    super(error ?? notThere)
    this.isNote = error === undefined
  }
}

/** Adds what a phase answered to what there is: series grow, values are replaced. */
function collect(cell, { times, values, notes }) {
  for (const [series, list] of Object.entries(times)) cell.times[series] = [...(cell.times[series] ?? []), ...list]
  Object.assign(cell.values, values)
  Object.assign(cell.notes, notes)
}

/** The answers of a phase: one, or of the reloads one for each. */
async function answersTo({ name, reloads }, browser, { set, server, adapter, seed, documents, workloads }) {
  const settings = { adapter, seed, documents, workloads }
  if (reloads) return runReloads(browser, server, set.kind, name, visit => ({ ...settings, visit }), reloads)
  return [await runPhase(browser, server, set.kind, name, settings)]
}

/** Runs phases in one life of the browser. */
async function inBrowser(setting, profile, phases, cell) {
  const browser = await startBrowser(setting.browser, profile)
  try {
    cell.browser_version = await browser.version()
    for (const phase of phases) {
      const start = performance.now()
      for (const answer of await answersTo(phase, browser, setting)) {
        if (answer.error !== undefined || answer.notThere !== undefined) throw new Ended(answer)
        collect(cell, answer)
      }
      cell.phases_ms[phase.name] = Math.round(performance.now() - start)
    }
  } finally {
    await endBrowser(browser)
  }
}

/** What the adapter's files weigh that the browser asked for. */
async function shippedBytes(folder, names, adapter) {
  const own = names.filter(name => name.startsWith(`/adapters/${adapter}/`))
  const contents = await Promise.all(own.map(name => readFile(join(folder, name))))
  const sum = weigh => contents.reduce((total, content) => total + weigh(content), 0)
  const brotli = content => brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }).length
  return {
    shipped_raw_bytes: sum(content => content.length),
    shipped_gzip_bytes: sum(content => gzipSync(content, { level: 9 }).length),
    shipped_brotli_bytes: sum(brotli),
    shipped_files: own.map(name => name.split('/').at(-1)),
  }
}

/**
 * Runs a cell. `setting`: `{ set, browser, adapter, round, seed, documents, workloads, server, site, profiles }`, where
 * `site` is the served folder and `profiles` the folder for profiles. Never fails: what went wrong is in `error` or
 * `note`, which workloads were left out in `notes`, and how long each phase took, all that is not measured included, in
 * `phases_ms`.
 */
export async function runCell(setting) {
  const { set, browser, adapter, round, seed, documents, workloads, server } = setting
  const cell = { browser, adapter, round, seed, documents, load_before: load(), times: {}, values: {}, notes: {}, phases_ms: {} }
  await mkdir(setting.profiles, { recursive: true })
  const profile = await mkdtemp(join(setting.profiles, `${adapter}-`))
  const start = performance.now()
  server.takeAsked()
  try {
    const [first, ...more] = set.lives(workloads).filter(phases => phases.length)
    await inBrowser(setting, profile, first, cell)
    if (workloads.includes('W12')) cell.values.storage_files_bytes = await storedBytes(browser, profile)
    for (const phases of more) await inBrowser(setting, profile, phases, cell)
    if (workloads.includes('W12')) Object.assign(cell.values, await shippedBytes(setting.site, server.takeAsked(), adapter))
  } catch (error) {
    if (error instanceof Ended && error.isNote) cell.note = error.message
    else cell.error = error instanceof Ended ? error.message : `${error.name}: ${error.message}`
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
  cell.load_after = load()
  cell.took_ms = Math.round(performance.now() - start)
  return cell
}
