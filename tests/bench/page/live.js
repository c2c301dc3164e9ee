// Q5: from an insert to the callback of a live query, beside an insert that nobody follows.
//
// A database for each number of live queries, all open at once, and blocks of inserts that take turns, so that whatever else
// happens meets all alike; a block begins when what the one before has set off is over. Very many have a page of their own,
// for in some databases those of one slow the others. Each live query asks for another agent; what is inserted is of the
// first.
import { Readings } from './documents.js'
import { LIVE, followed } from './query_questions.js'
import { batchesOf, check, timed } from './run.js'

/** The page is calm when so many timers in a row were in time. */
const CALM = { timers: 4, timer_ms: 8, most_ms: 5_000 }

/** A database with so many live queries, and its place in the readings. */
async function prepared(run, openLive, count) {
  const readings = new Readings(run.seed)
  const documents = Array.from({ length: LIVE.documents }, (_, index) => ({ ...readings.at(index), agent: followed(index % LIVE.agents) }))
  const store = await openLive(`live-${count}`)
  for (const batch of batchesOf(documents)) await store.insertMany(batch)
  const made = { store, count, next: LIVE.documents, readings, newest: documents.filter(({ agent }) => agent === followed(0)), told: () => {} }
  await Promise.all(Array.from({ length: count }, (_, number) => store.follow(followed(number), LIVE.limit, found => number === 0 && made.told(found))))
  return made
}

/** Inserts one document; the clock runs until the answer, or until the live query has told of it. */
async function insertOne(run, made, isCounted) {
  const document = { ...made.readings.at(made.next++), agent: followed(0) }
  const told = made.count ? new Promise(resolve => { made.told = found => found[0]?.id === document.id && resolve(found) }) : undefined
  let inserting
  const { answer, ms } = await timed(() => {
    inserting = made.store.insert(document)
    inserting.catch?.(() => {})
    return told ? Promise.race([told, inserting.then(() => told)]) : inserting
  })
  await inserting
  made.newest.push(document)
  if (isCounted) run.note(`live_${made.count}`, ms)
  if (told) check(`live query ${made.count}`, answer, made.newest.slice(-LIVE.limit).reverse())
}

/** Resolves when timers come in time again: some databases go on with what the last insert has begun. */
async function calm() {
  const start = performance.now()
  for (let inTime = 0; inTime < CALM.timers && performance.now() - start < CALM.most_ms; ) {
    const set = performance.now()
    await new Promise(resolve => setTimeout(resolve, CALM.timer_ms))
    inTime = performance.now() - set < 2 * CALM.timer_ms ? inTime + 1 : 0
  }
}

async function block(run, made, isCounted) {
  await calm()
  for (let turn = 0; turn < LIVE.block; turn++) await insertOne(run, made, isCounted)
}

/** Blocks in turns, each count of live queries with a database of its own. */
async function inTurns(run, counts) {
  const openLive = await run.opener('Q5', 'openLive')
  if (!openLive) return
  const { live_most = Infinity } = await run.load()
  const tooMany = counts.filter(count => count > live_most)
  if (tooMany.length) run.notes.Q5 = `${tooMany.join(', ')} live queries: it is asked of no more than ${live_most}`
  const all = []
  for (const count of counts.filter(count => count <= live_most)) all.push(await prepared(run, openLive, count))
  for (const made of all) await block(run, made, false)
  const start = performance.now()
  for (let done = 0; all.length && done < LIVE.most && (done < LIVE.block || performance.now() - start < LIVE.enough_ms); done += LIVE.block) {
    for (const made of all) await block(run, made, true)
  }
}

export const live = run => inTurns(run, LIVE.counts)
export const crowd = run => inTurns(run, LIVE.crowds)
