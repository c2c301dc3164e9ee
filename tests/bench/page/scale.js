// The page's part in the benchmark of growth: HyphaDB alone, with more and more documents.
//
// Not a comparison: that is `workloads.js`. Only what stands between two looks at the clock is measured; every answer is
// compared with the model, outside of that.
import { Readings, chance, indexOf, spread } from './documents.js'
import { Model, difference } from './model.js'
import { Questions, SIZES } from './questions.js'

/** Gets right after opening, when no block of documents is in memory yet. */
const COLD_GETS = 20
/** Gets that are repeated: so few that all that they need fits into any cache. */
const WARM_GETS = 20
const WARM_TIMES = 10
const WALK_RANGES = 20
const WALK_GETS = 2_000
/** Memory is asked for this often while a database larger than the cache is read. */
const MEMORY_EVERY = 100

function check(question, found, wanted) {
  const different = difference(found, wanted)
  if (different !== undefined) throw new Error(`${question}: ${different}`)
}

async function timed(work) {
  const start = performance.now()
  const answer = await work()
  return { answer, ms: performance.now() - start }
}

/** Loads the package and opens the database; `options` are for `open`. */
async function open(options) {
  watchMemories()
  const { open } = await import('/adapters/hyphadb/index.js')
  return open(options)
}

/** The memories of WebAssembly on this page; one never shrinks, so its size is the highest that was needed. */
const memories = new Set()

/** Has every instance that is made from now on keep its memory in `memories`. */
function watchMemories() {
  const { instantiate } = WebAssembly
  WebAssembly.instantiate = async (...given) => {
    const made = await instantiate(...given)
    const { memory } = (made.instance ?? made).exports
    if (memory) memories.add(memory)
    return made
  }
}

/** What WebAssembly holds, and what script does as the browser counts it after a collection, where it tells. */
async function memory() {
  const wasm_bytes = [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0)
  if (!performance.measureUserAgentSpecificMemory) return { wasm_bytes }
  return { wasm_bytes, script_bytes: (await performance.measureUserAgentSpecificMemory()).bytes }
}

/** Inserts all; the documents are made between the batches, and that is not timed. */
async function fill({ seed, documents }) {
  const readings = new Readings(seed)
  const store = await open()
  let ms = 0
  for (let from = 0; from < documents; from += SIZES.batch) {
    const batch = readings.slice(from, Math.min(from + SIZES.batch, documents))
    ms += (await timed(() => store.insertMany(batch))).ms
  }
  return { bulk_insert_ms: ms, memory: await memory(), storage_estimate_bytes: (await navigator.storage.estimate()).usage }
}

/** After a reload: open, one get, then gets of documents whose blocks are not in memory. */
async function first({ seed, documents, visit }) {
  const readings = new Readings(seed)
  const random = chance(spread(seed * 1_000 + visit))
  const indexes = Array.from({ length: COLD_GETS }, () => Math.floor(random() * documents))
  const ids = indexes.map(index => readings.at(index).id)
  const start = performance.now()
  const store = await open()
  const open_ms = performance.now() - start
  const answers = [await store.get(ids[0])]
  const first_get_ms = performance.now() - start
  const cold_get_ms = []
  for (const id of ids.slice(1)) {
    const { answer, ms } = await timed(() => store.get(id))
    answers.push(answer)
    cold_get_ms.push(ms)
  }
  check('gets after opening', answers, indexes.map(index => readings.at(index)))
  return { open_ms, first_get_ms, cold_get_ms }
}

/** The newest of each, as often as there are names; answers the times. */
async function newest(store, model, field, names) {
  const { answers, ms } = await each(names, name => store.newest(field, name, SIZES.limit))
  names.forEach((name, number) => check(`newest of ${name}`, answers[number], model.newest(field, name, SIZES.limit)))
  return ms
}

/** Gets, again and again, so that but for the first time all blocks that they need are in memory; then queries. */
async function ask({ seed, documents }) {
  const readings = new Readings(seed)
  const model = new Model(readings, documents)
  const questions = new Questions(seed, documents)
  const store = await open()
  const indexes = questions.gets().slice(0, WARM_GETS)
  const ids = indexes.map(index => readings.at(index).id)
  const wanted = model.all(indexes)
  const warm_get_ms = []
  for (let time = 0; time <= WARM_TIMES; time++) {
    const { answers, ms } = await each(ids, id => store.get(id))
    check('gets', answers, wanted)
    if (time) warm_get_ms.push(...ms)
  }
  const site_ms = await newest(store, model, 'site', questions.sites())
  const agent_ms = await newest(store, model, 'agent', questions.agents())
  return { warm_get_ms, site_ms, agent_ms, memory: await memory() }
}

/** Asks for each in turn. */
async function each(list, ask) {
  const [answers, ms] = [[], []]
  for (const one of list) {
    const { answer, ms: taken } = await timed(() => ask(one))
    answers.push(answer)
    ms.push(taken)
  }
  return { answers, ms }
}

/** Reads all documents in the order of keys, each compared with what its time says that it is. */
async function readAll(readings, documents, store, look) {
  let [count, last] = [0, '']
  for (let pages = 1; count < documents; pages++) {
    const page = await store.after(last, SIZES.range)
    if (!page.length) throw new Error(`after ${count} of ${documents} documents there are no more`)
    for (const document of page) {
      if (document.id <= last) throw new Error(`${document.id} comes after ${last}`)
      check(document.id, document, readings.at(indexOf(document.ts)))
      last = document.id
    }
    count += page.length
    if (pages % MEMORY_EVERY === 0) await look()
  }
  check('documents after the last', await store.after(last, SIZES.range), [])
  check('documents', count, documents)
}

/** Reads every document, then some by time and by key, with a cache that holds a part of them; checks every answer. */
async function walk({ seed, documents, cacheBytes }) {
  const readings = new Readings(seed)
  const random = chance(spread(seed))
  const any = limit => Math.floor(random() * limit)
  const store = await open({ cacheBytes })
  const seen = []
  const look = async () => seen.push(await memory())
  await look()
  await readAll(readings, documents, store, look)
  for (let time = 0; time < WALK_RANGES; time++) {
    const from = any(documents - SIZES.range)
    const to = from + SIZES.range
    check(`range from ${from}`, await store.range(readings.at(from).ts, readings.at(to).ts), readings.slice(from, to))
  }
  await look()
  for (let time = 0; time < WALK_GETS; time++) {
    const reading = readings.at(any(documents))
    check('get', await store.get(reading.id), reading)
  }
  await look()
  return { memory: seen, checked: { documents, ranges: WALK_RANGES, gets: WALK_GETS } }
}

const PHASES = { fill, first, ask, walk }

export const runScale = (name, settings) => PHASES[name](settings)
