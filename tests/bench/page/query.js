// The workloads of the set `query`, in the phases that they run in; each phase has a page of its own.
//
// Not the asking of a particular database: that is an adapter's. Live queries, schemas and text have databases of their
// own: live.js, schema.js, text.js.
import { Facts, Gauges } from './gauges.js'
import { crowd, live } from './live.js'
import { AGAIN, Bounds, COLUMNS, SCANS } from './query_questions.js'
import { Run, batchesOf } from './run.js'
import { schema } from './schema.js'
import { text } from './text.js'

/** How each of the scans is asked for, and its answer checked; `bounds` are other ones each time. */
const scans = {
  filter: { ask: (store, [from, to]) => store.filter(from, to), check: (facts, found, [from, to]) => facts.checkFilter(found, from, to) },
  sites: { ask: store => store.bySite(), check: (facts, found) => facts.checkGroups(found, 'sites') },
  hours: { ask: store => store.byHour(), check: (facts, found) => facts.checkGroups(found, 'hours') },
  columns: { ask: store => store.columns(COLUMNS), check: (facts, found) => facts.checkColumns(found) },
}

const wanted = run => Object.keys(SCANS).filter(name => run.wants(SCANS[name]))

/** So long after the load nothing is asked: a user's page has been left alone for a while, too, before it is loaded again. */
const SETTLE_MS = 2_000

/** A new database with all documents. */
async function load(run) {
  const batches = batchesOf(new Gauges(run.seed).slice(0, run.documents))
  const store = await run.open()
  await run.time('load', async () => {
    for (const batch of batches) await store.insertMany(batch)
    await store.persist?.()
  })
  await new Promise(resolve => setTimeout(resolve, SETTLE_MS))
}

/** One question after the page was loaded again; each visit another one. Nothing is asked on the first. */
async function first(run) {
  const store = await run.time('open_reload', () => run.open())
  if (run.visit === 0) return
  const names = wanted(run)
  const name = names[run.visit % names.length]
  const bounds = new Bounds(run.seed + run.visit).next()
  const found = await run.time(`${name}_first`, () => scans[name].ask(store, bounds))
  scans[name].check(new Facts(run.seed, run.documents), found, bounds)
}

/** Each question, many times. */
async function again(run) {
  const store = await run.openReady()
  const facts = new Facts(run.seed, run.documents)
  const all = new Bounds(run.seed)
  for (const name of wanted(run)) {
    await run.repeat(name, AGAIN, async time => {
      const bounds = all.next()
      const found = await time(() => scans[name].ask(store, bounds))
      scans[name].check(facts, found, bounds)
    })
  }
}

const PHASES = { load, first, again, live, crowd, schema, text }

/** Runs a phase; answers its times in milliseconds by series, and why parts were left out. */
export async function runQuery(name, settings) {
  const run = new Run(settings)
  await PHASES[name](run)
  return run.answer
}
