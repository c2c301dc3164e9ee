// Filters and updates of HyphaDB beside those of mingo, on random cases. Not tests: those of Node and of browsers call it.
//
// Invariants: nothing here knows Node or a browser; what differs without a listed deviation is thrown with the case.

import { Cases } from './cases.mjs'
import { deviationOf, deviationOfUpdate, isBlocked, mustRefuse, reach, refusesValue } from './deviations.mjs'

const DOCUMENTS = 40
/** So many filters are asked of the same documents. */
const FILTERS_EACH = 250
/** So many updates are made in one transaction. */
const UPDATES_EACH = 250

const show = (value) => JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner instanceof RegExp ? String(inner) : inner instanceof Uint8Array ? `bytes ${inner}` : inner))

/** What was compared: by name of deviation, how often it kept something from being compared, and how often that differs. */
class Tally {
  constructor() {
    this.cases = 0
    this.compared = 0
    this.deviations = {}
  }

  aside(deviation, isSame) {
    const tally = (this.deviations[deviation] ??= { asked: 0, differing: 0 })
    tally.asked++
    if (!isSame) tally.differing++
  }
}

/** What mingo says where nothing is expected of it: it may throw. */
function ask(mingo) {
  try {
    return mingo()
  } catch {
    return undefined
  }
}

/** Asks `count` random filters of random documents, with indexes and without. */
export async function compareFilters({ mingo, db, random, count }) {
  const collection = db.collection('cases')
  const cases = new Cases(random)
  const tally = new Tally()
  let documents = []
  while (tally.cases < count) {
    if (tally.cases % FILTERS_EACH === 0) {
      documents = Array.from({ length: DOCUMENTS }, (_, number) => cases.document(`d${String(number).padStart(2, '0')}`))
      await collection.deleteMany({})
      await collection.insertMany(documents)
    }
    tally.cases++
    const filter = cases.filter()
    const query = new mingo.Query(filter)
    const found = new Set(await collection.find(filter).keys())
    for (const document of documents) {
      const deviation = deviationOf(document, filter)
      if (deviation !== undefined) {
        tally.aside(deviation, ask(() => query.test(document)) === found.has(document.id))
        continue
      }
      tally.compared++
      if (query.test(document) !== found.has(document.id)) {
        throw new Error(`${show(filter)} of ${show(document)}: mingo says ${query.test(document)}, HyphaDB ${found.has(document.id)}`)
      }
    }
  }
  return tally
}

/** Makes random updates of random documents, until `count` of them are compared. */
export async function compareUpdates({ mingo, db, random, count }) {
  const cases = new Cases(random)
  const tally = new Tally()
  while (tally.compared < count) {
    await db.transaction(async (transaction) => {
      const collection = transaction.collection('updates')
      for (let each = 0; each < UPDATES_EACH && tally.compared < count; each++) {
        tally.cases++
        const document = cases.document('only')
        const { update, arrayFilters, filter } = cases.is(75) ? { update: cases.update(), arrayFilters: [], filter: {} } : cases.positional()
        await collection.put(document)
        const outcome = await attempt(() => collection.updateOne({ id: 'only', ...filter }, update, { arrayFilters }))
        const after = await collection.get('only')
        const made = () => {
          const copy = structuredClone(document)
          return { ...mingo.updateOne([copy], filter, update, { arrayFilters, cloneMode: 'deep' }), document: filled(copy) }
        }
        const deviation = compareOne({ mingo, made, document, update, arrayFilters, filter, outcome, after })
        if (deviation === undefined) tally.compared++
        else tally.aside(deviation, isEqual(ask(made)?.document, after))
      }
    })
  }
  return tally
}

async function attempt(work) {
  try {
    return { answer: await work() }
  } catch (error) {
    return { error }
  }
}

/** Throws where the two differ; answers with the deviation where they may. */
function compareOne({ mingo, made, document, update, arrayFilters, filter, outcome, after }) {
  const isElements = JSON.stringify(update).includes('.$')
  const fails = (what) => { throw new Error(`${show(update)} ${show(arrayFilters)} ${show(filter)} of ${show(document)}: ${what}`) }
  const deviation = deviationOf(document, filter) ?? (isElements ? ofElements(document, update, arrayFilters, filter) : deviationOfUpdate(document, update))
  if (outcome.error !== undefined) {
    if (outcome.error.code !== 'invalid') fails(`HyphaDB says ${outcome.error.code}: ${outcome.error.message}`)
    if (!isEqual(document, after)) fails('was refused, and changed something')
    if (deviation === undefined && !(isElements ? refusesElements(document, update, arrayFilters, filter, mingo) : mustRefuse(document, update))) fails(`HyphaDB refuses: ${outcome.error.message}`)
    return deviation
  }
  if (!isElements && mustRefuse(document, update)) fails('HyphaDB does not refuse')
  if (deviation !== undefined) return deviation
  const { matchedCount, document: other } = made()
  if (matchedCount !== outcome.answer.matchedCount) fails(`mingo finds ${matchedCount}, HyphaDB ${outcome.answer.matchedCount}`)
  if (!isEqual(other, after)) fails(`mingo makes ${show(other)}, HyphaDB ${show(after)}`)
  const isChanged = !isEqual(document, after)
  if (!hasNegativeZero(after) && isChanged !== (outcome.answer.modifiedCount === 1)) fails(`modifiedCount is ${outcome.answer.modifiedCount}`)
  return undefined
}

const pathOf = (update) => Object.keys(Object.values(update)[0])[0]

function ofElements(document, update, arrayFilters, filter) {
  const [field] = pathOf(update).split('.')
  const elements = Array.isArray(document[field]) ? document[field] : []
  if (elements.some((element) => Array.isArray(element) || typeof element === 'bigint')) return 'arrays in arrays are not entered'
  for (const element of elements) {
    const deviation = deviationOf({ x: [element] }, arrayFilters[0] ?? {}) ?? deviationOf({ [field]: [element] }, filter)
    if (deviation !== undefined) return deviation
  }
  if ([filter, ...arrayFilters].some((one) => Object.values(one).some(Array.isArray))) return 'an element is asked as it is'
  // Of an order, mingo finds only those of arrays and objects.
  if (['$max', '$min'].includes(Object.keys(update)[0]) && elements.some((element) => typeof element === 'object')) return 'arrays and objects have an order'
  return undefined
}

/** Whether an update of elements meets a value that it is not for. */
function refusesElements(document, update, arrayFilters, filter, mingo) {
  const path = pathOf(update)
  const operator = Object.keys(update)[0]
  const [field, step, ...rest] = path.split('.')
  if (!Array.isArray(document[field])) return true
  const chosen = document[field].filter((element) => {
    if (step === '$[]') return true
    const [name, query] = step === '$' ? [field, filter] : ['x', arrayFilters[0]]
    return new mingo.Query(query).test({ [name]: [element] })
  })
  if (step === '$' && chosen.length === 0) return true
  const meant = step === '$' ? chosen.slice(0, 1) : chosen
  if (rest.length === 0) return meant.some((element) => refusesValue(operator, element))
  return meant.some((element) => (operator !== '$unset' && isBlocked({ element }, ['element', ...rest].join('.'))) || reach({ element }, ['element', ...rest].join('.')).values.some((value) => refusesValue(operator, value)))
}

/** It is not 0, which `isEqual` does not see. */
const hasNegativeZero = (value) => Object.is(value, -0) || (typeof value === 'object' && value !== null && Object.values(value).some(hasNegativeZero))

/** An array with holes as HyphaDB has it: a hole is null. */
function filled(value) {
  if (Array.isArray(value)) return Array.from(value, (element) => (element === undefined ? null : filled(element)))
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filled(inner)]))
}

/** Equal in every part; of objects the order of fields does not matter, as it does not to mingo. */
export function isEqual(one, other) {
  if (Object.is(one, other) || (one === 0 && other === 0)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false
  if (one instanceof Date) return +one === +other
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => Object.hasOwn(other, name) && isEqual(one[name], other[name]))
}

/** Collections: one with indexes over what filters ask for, and one whose documents may be anything. */
export const configuration = {
  cases: { key: 'id', indexes: ['n', ['s', 'n'], 'tags', { name: 'sparse', fields: 'mix', sparse: true }, 'items.n', 'o.p', { name: 'sparse_s', fields: ['d', 's'], sparse: true }] },
  updates: { key: 'id' },
}
