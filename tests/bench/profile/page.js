// The page of the profile: HyphaDB's part of the workloads of both sets, without what the benchmark does around them.
//
// Not measured here but by the browser's profiler, and checked nowhere: the benchmark does that, with the same questions.
// Invariant: everything that a part needs was made before it runs.
import { openStore } from '../adapters/hyphadb_store.js'
import { open as openQueries } from '../adapters/query/hyphadb.js'
import { Readings } from '../page/documents.js'
import { Gauges } from '../page/gauges.js'
import { Bounds, COLUMNS } from '../page/query_questions.js'
import { Questions, SIZES } from '../page/questions.js'
import { batchesOf } from '../page/run.js'

async function inTurn(list, work) {
  for (const one of list) await work(one)
}

/** How often a scan is asked again. */
const SCANS = 10

/** A scan that was just opened, and the same again. */
function scan(name, ask) {
  return [{ name: `${name}, first`, count: 1, run: ask }, { name: `${name}, again`, count: SCANS, run: () => inTurn(Array.from({ length: SCANS }), ask) }]
}

/** What a workload is made of: of each part, how many operations and what is run. */
const WORKLOADS = {
  W1({ readings, store, documents }) {
    const all = readings.slice(0, documents)
    return [{ name: 'bulk insert, a document', count: documents, run: () => inTurn(batchesOf(all), batch => store.insertMany(batch)) }]
  },
  W2({ fresh, store }) {
    const documents = fresh(SIZES.inserts)
    return [{ name: 'single insert', count: documents.length, run: () => inTurn(documents, document => store.insert(document)) }]
  },
  W3({ fresh, store }) {
    const sets = Array.from({ length: SIZES.repeats }, () => fresh(SIZES.inserts_together))
    return [{ name: '1,000 inserts at once', count: sets.length, run: () => inTurn(sets, set => Promise.all(set.map(document => store.insert(document)))) }]
  },
  W4({ idsAt, questions, store }) {
    const ids = idsAt(questions.gets())
    const many = Array.from({ length: SIZES.bulk_gets }, () => idsAt(questions.keys()))
    return [
      { name: 'get', count: ids.length, run: () => inTurn(ids, id => store.get(id)) },
      { name: 'bulkGet of 1,000', count: many.length, run: () => inTurn(many, keys => store.getMany(keys)) },
    ]
  },
  W5({ questions, store }) {
    const agents = questions.agents()
    return [{ name: 'agent = X, newest 50', count: agents.length, run: () => inTurn(agents, agent => store.newest('agent', agent, SIZES.limit)) }]
  },
  W5b({ questions, store }) {
    const sites = questions.sites()
    return [{ name: 'site = X, newest 50', count: sites.length, run: () => inTurn(sites, site => store.newest('site', site, SIZES.limit)) }]
  },
  W6({ questions, readings, store }) {
    const bounds = questions.ranges().map(from => [readings.at(from).ts, readings.at(from + SIZES.range).ts])
    return [{ name: 'range of 1,000', count: bounds.length, run: () => inTurn(bounds, each => store.range(...each)) }]
  },
  W9({ idsAt, questions, store }) {
    const { updates, removals } = questions.changes()
    const patches = updates.map(indexes => idsAt(indexes).map((id, number) => ({ id, value: -1 - number })))
    const ids = removals.map(idsAt)
    return [
      { name: 'update 1,000', count: patches.length, run: () => inTurn(patches, batch => store.update(batch)) },
      { name: 'delete 1,000', count: ids.length, run: () => inTurn(ids, batch => store.remove(batch)) },
    ]
  },
}

/** The same of the set `query`: `Q0` is the load. */
const QUERIES = {
  Q0({ store, seed, documents }) {
    const all = new Gauges(seed).slice(0, documents)
    return [{ name: 'load, a document', count: documents, run: () => inTurn(batchesOf(all), batch => store.insertMany(batch)) }]
  },
  Q1({ store, seed }) {
    const bounds = new Bounds(seed)
    return scan('filter, 5 %', () => store.filter(...bounds.next()))
  },
  Q2: ({ store }) => scan('group by site', () => store.bySite()),
  Q3: ({ store }) => scan('group by hour', () => store.byHour()),
  Q4: ({ store }) => scan('three columns', () => store.columns(COLUMNS)),
}

let parts = []

/** Opens the database and makes the parts of a workload ready; answers with their names and counts. */
globalThis.prepare = async (workload, { seed, documents }) => {
  if (workload in QUERIES) parts = QUERIES[workload]({ store: await openQueries(), seed, documents })
  else parts = await partsOf(workload, { seed, documents })
  return parts.map(({ name, count }) => ({ name, count }))
}

async function partsOf(workload, { seed, documents }) {
  const readings = new Readings(seed)
  // Those of W2 and W3 meet in one database.
  let next = documents + Object.keys(WORKLOADS).indexOf(workload) * SIZES.batch * 10
  const fresh = count => readings.slice(next, (next += count))
  const idsAt = indexes => indexes.map(index => readings.at(index).id)
  return WORKLOADS[workload]({ readings, questions: new Questions(seed, documents), store: await openStore({}), documents, fresh, idsAt })
}

/** Long enough that the profiler sees it. */
const MARK_MS = 10

// Marks in the profile, by their names: what lies between is the part.
function partBegins() {
  for (const start = performance.now(); performance.now() - start < MARK_MS; );
}

function partEnds() {
  for (const start = performance.now(); performance.now() - start < MARK_MS; );
}

/** Has the browser call it: what calls it from here may take it in, and its name is gone. */
const mark = spin =>
  new Promise(resolve => {
    setTimeout(spin)
    setTimeout(resolve)
  })

/** Runs the parts, one after the other; answers how long each took. */
globalThis.runParts = async () => {
  const wall_ms = []
  for (const { run } of parts) {
    await mark(partBegins)
    const start = performance.now()
    await run()
    wall_ms.push(performance.now() - start)
    await mark(partEnds)
  }
  return wall_ms
}
