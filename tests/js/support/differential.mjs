// Random pipelines, run by HyphaDB and by mingo: in Node, or bundled in a page.
//
// Not a test by itself: whoever calls it is given the package to be tested, and judges the failures.
import { makeDocuments, makePipeline } from './pipelines.mjs'
import { generator } from './random.mjs'
import { reference } from './mingo_reference.mjs'

const ROUND_PIPELINES = 200

/** Runs `count` pipelines; answers how many both refused, and the failures, each with what replays it. */
export async function compareAggregations({ open, memory }, { count, seed }) {
  const failures = []
  let refused = 0
  for (let first = 0; first < count && failures.length < 20; first += ROUND_PIPELINES) {
    const random = generator(seed + first)
    const collections = { docs: makeDocuments(random, 5 + Math.floor(random() * 40)), other: makeDocuments(random, 12) }
    const db = await open({ name: `differential-${seed}-${first}`, storage: memory(), collections: { docs: { key: '_id', indexes: ['m', ['b', 'n']] }, other: { key: '_id', indexes: ['m', 'a'] } } })
    for (const [name, documents] of Object.entries(collections)) await db.collection(name).insertMany(documents)
    for (let number = first; number < Math.min(count, first + ROUND_PIPELINES) && failures.length < 20; number++) {
      const pipeline = makePipeline(random)
      const [ours, theirs] = [await outcome(() => db.collection('docs').aggregate(pipeline).toArray()), await outcome(() => reference(collections.docs, pipeline, collections))]
      if (ours.error !== undefined && theirs.error !== undefined && /^(invalid|limit)/.test(ours.error)) refused++
      else {
        const difference = differs(ours, theirs)
        if (difference !== undefined) failures.push({ seed, number, pipeline: JSON.stringify(pipeline), difference })
      }
    }
    await db.close()
  }
  return { count, refused, failures }
}

async function outcome(work) {
  try {
    return { value: await work() }
  } catch (error) {
    return { error: `${error.code ?? 'thrown'}: ${error.message}` }
  }
}

function differs(ours, theirs) {
  if (ours.error !== undefined || theirs.error !== undefined) return `ours ${ours.error ?? 'answers'}; mingo ${theirs.error ?? `answers ${show(theirs.value)?.slice(0, 300)}`}`
  return difference(ours.value, theirs.value, '')
}

const show = (value) => JSON.stringify(value)

/** Where two values differ; fields in any order, numbers but for their last digits. */
export function difference(ours, theirs, path) {
  const told = () => `at ${path || 'the top'}: ours ${show(ours)?.slice(0, 300)}, mingo ${show(theirs)?.slice(0, 300)}`
  if (typeof ours === 'number' && typeof theirs === 'number') {
    const gap = Math.abs(ours - theirs)
    return ours === theirs || gap <= 1e-9 * Math.max(Math.abs(ours), Math.abs(theirs), 1) ? undefined : told()
  }
  if (theirs === undefined || Number.isNaN(theirs)) theirs = null
  if (typeof ours !== 'object' || typeof theirs !== 'object' || ours === null || theirs === null) return ours === theirs ? undefined : told()
  if (ours instanceof Date || theirs instanceof Date) return +ours === +theirs && ours instanceof Date && theirs instanceof Date ? undefined : told()
  if (Array.isArray(ours) !== Array.isArray(theirs)) return told()
  if (Array.isArray(ours)) {
    if (ours.length !== theirs.length) return `${told()} (${ours.length} and ${theirs.length} elements)`
    for (let i = 0; i < ours.length; i++) {
      const found = difference(ours[i], theirs[i], `${path}.${i}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  const names = new Set([...Object.keys(ours), ...Object.keys(theirs).filter((name) => theirs[name] !== undefined)])
  for (const name of names) {
    if (!Object.hasOwn(ours, name) || theirs[name] === undefined) return `${told()} (field ${name})`
    const found = difference(ours[name], theirs[name], `${path}.${name}`)
    if (found !== undefined) return found
  }
  return undefined
}
