// The workloads of the set `documents`, in the phases that they run in; each phase has a page of its own.
//
// Not the asking of a particular database: that is an adapter's. Not statistics: a phase answers with every time it took.
import { Readings } from './documents.js'
import { Model } from './model.js'
import { Questions, SIZES } from './questions.js'
import { Run, batchesOf, check } from './run.js'

/** A run that knows the documents, the questions and the right answers. */
class DocumentsRun extends Run {
  constructor(settings) {
    super(settings)
    this.readings = new Readings(settings.seed)
    this.questions = new Questions(settings.seed, settings.documents)
    this.model = new Model(this.readings, settings.documents)
  }

  idsAt(indexes) {
    return indexes.map(index => this.readings.at(index).id)
  }
}

/** A new database: W1, and what it takes on disk. */
async function write(run) {
  const documents = run.readings.slice(0, run.documents)
  const store = await run.time('open', () => run.open())
  const given = store.encode ? [store.encode(documents)] : batchesOf(documents)
  await run.time('bulk_insert', async () => {
    for (const batch of given) await store.insertMany(batch)
    await store.persist?.()
  })
  await store.ready?.()
  check('count after W1', await store.count(), run.documents)
  const sample = run.questions.keys()
  check('documents after W1', await store.getMany(run.idsAt(sample)), run.model.all(sample))
  if (run.wants('W12')) run.values.storage_estimate_bytes = (await navigator.storage.estimate()).usage
}

/** The browser was ended and started again: import, open and the first query of W5. */
async function cold(run) {
  const agent = run.questions.firstAgent()
  const { store, answer } = await run.time('open_cold', async () => {
    const store = await run.open()
    return { store, answer: await store.newest('agent', agent, SIZES.limit) }
  })
  check('first query', await decoded(store, answer, () => store.newest('agent', agent, SIZES.limit)), run.model.newest('agent', agent, SIZES.limit))
}

/** The page was loaded again: import, open and the first get. */
async function reload(run) {
  const index = run.questions.firstIndex()
  const [id] = run.idsAt([index])
  const { store, answer } = await run.time('open_reload', async () => {
    const store = await run.open()
    return { store, answer: await store.get(id) }
  })
  check('first get', await decoded(store, answer, () => store.get(id)), run.model.at(index))
}

/** The answer; of a store that only read its bytes while the clock ran, what these bytes say. */
async function decoded(store, answer, ask) {
  if (!store.ready) return answer
  await store.ready()
  return ask()
}

/** W4, W5, W5b, W6. */
async function read(run) {
  const store = await run.openReady()
  if (run.wants('W4')) await readByKey(run, store)
  if (run.wants('W5')) await readNewest(run, store, 'newest_of_agent', 'agent', run.questions.agents())
  if (run.wants('W5b')) await readNewest(run, store, 'newest_of_site', 'site', run.questions.sites())
  if (run.wants('W6')) await readRanges(run, store)
}

async function readByKey(run, store) {
  const indexes = run.questions.gets()
  const ids = run.idsAt(indexes)
  const found = []
  for (const id of ids) found.push(await run.time('get', () => store.get(id)))
  check('get', found, run.model.all(indexes))
  for (let time = 0; time < SIZES.bulk_gets; time++) {
    const many = run.questions.keys()
    const keys = run.idsAt(many)
    check('getMany', await run.time('get_many', () => store.getMany(keys)), run.model.all(many))
  }
}

async function readNewest(run, store, series, field, names) {
  const answers = []
  for (const name of names) answers.push(await run.time(series, () => store.newest(field, name, SIZES.limit)))
  names.forEach((name, number) => check(`newest of ${name}`, answers[number], run.model.newest(field, name, SIZES.limit)))
}

async function readRanges(run, store) {
  for (const from of run.questions.ranges()) {
    const to = from + SIZES.range
    const bounds = [run.readings.at(from).ts, run.readings.at(to).ts]
    check(`range from ${bounds[0]}`, await run.time('range', () => store.range(...bounds)), run.model.range(from, to))
  }
}

/** W2, W3, W9: writes on the loaded database. */
async function change(run) {
  const store = await run.openReady()
  if (run.wants('W2')) await insertSingly(run, store)
  if (run.wants('W3')) for (let time = 0; time < SIZES.repeats; time++) await insertTogether(run, store)
  if (run.wants('W9')) await updateAndRemove(run, store)
  check('count at the end', await store.count(), run.model.count)
  const agent = run.questions.firstAgent()
  check('index at the end', await store.newest('agent', agent, SIZES.limit), run.model.newest('agent', agent, SIZES.limit))
}

/** The readings that come next. */
function fresh(run, count) {
  const from = run.model.total
  run.model.insert(count)
  return { documents: run.readings.slice(from, from + count), indexes: Array.from({ length: count }, (_, offset) => from + offset) }
}

async function insertSingly(run, store) {
  const { documents, indexes } = fresh(run, SIZES.inserts)
  const given = store.encode ? documents.map(document => store.encode([document])) : documents
  for (const document of given) await run.time('insert', () => store.insert(document))
  check('documents after W2', await store.getMany(run.idsAt(indexes)), run.model.all(indexes))
}

async function insertTogether(run, store) {
  const { documents, indexes } = fresh(run, SIZES.inserts_together)
  const given = store.encode ? store.encode(documents) : documents
  await run.time('insert_together', async () => {
    if (store.insertTogether) await store.insertTogether(given)
    else await Promise.all(given.map(document => store.insert(document)))
    await store.persist?.()
  })
  check('documents after W3', await store.getMany(run.idsAt(indexes)), run.model.all(indexes))
}

async function updateAndRemove(run, store) {
  const { updates, removals } = run.questions.changes()
  for (const indexes of updates) {
    const patches = run.idsAt(indexes).map((id, number) => ({ id, value: -1 - number }))
    await run.time('update', async () => {
      await store.update(patches)
      await store.persist?.()
    })
    indexes.forEach((index, number) => run.model.patch(index, { value: patches[number].value }))
    check('documents after update', await store.getMany(run.idsAt(indexes)), run.model.all(indexes))
  }
  for (const indexes of removals) {
    const ids = run.idsAt(indexes)
    await run.time('remove', async () => {
      await store.remove(ids)
      await store.persist?.()
    })
    for (const index of indexes) run.model.remove(index)
    check('documents after removal', await store.getMany(ids), run.model.all(indexes))
  }
}

const PHASES = { write, cold, reload, read, change }

/** Runs a phase; answers its times in milliseconds by series, and its other values. */
export async function runPhase(name, settings) {
  const run = new DocumentsRun(settings)
  await PHASES[name](run)
  return run.answer
}
