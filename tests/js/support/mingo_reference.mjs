// mingo as the reference of pipelines, with what HyphaDB means differently put right: each deviation is a function here and
// a line in docs/aggregation.md.
import { Aggregator } from 'mingo/aggregator'
import { Context, evalExpr } from 'mingo/core'
import { Lazy } from 'mingo/lazy'
import * as accumulator from 'mingo/operators/accumulator'
import * as expression from 'mingo/operators/expression'
import * as pipeline from 'mingo/operators/pipeline'
import * as projection from 'mingo/operators/projection'
import * as query from 'mingo/operators/query'
import * as window from 'mingo/operators/window'

const isNull = (value) => value === null || value === undefined
const isTrue = (value) => !(isNull(value) || value === false || value === 0)
const fail = (message) => { throw new Error(message) }
const orNull = (number) => (Number.isNaN(number) ? null : number)

/** The order of values: by type, what is missing first. */
const BRACKETS = ['missing', 'null', 'number', 'string', 'object', 'array', 'boolean', 'date']
function bracket(value) {
  if (value === undefined) return 0
  if (value === null) return 1
  if (Array.isArray(value)) return 5
  if (value instanceof Date) return 7
  return BRACKETS.indexOf(typeof value)
}
const simple = (left, right) => (left < right ? -1 : left > right ? 1 : 0)
export function compare(left, right) {
  const type = bracket(left)
  if (type !== bracket(right)) return simple(type, bracket(right))
  if (type === 5) {
    for (let i = 0; i < Math.min(left.length, right.length); i++) {
      const order = compare(left[i] ?? null, right[i] ?? null)
      if (order !== 0) return order
    }
    return simple(left.length, right.length)
  }
  if (type === 4) {
    const [lefts, rights] = [left, right].map((object) => Object.entries(object).filter(([, value]) => value !== undefined))
    for (let i = 0; i < Math.min(lefts.length, rights.length); i++) {
      const [[leftName, leftValue], [rightName, rightValue]] = [lefts[i], rights[i]]
      const order = simple(bracket(leftValue), bracket(rightValue)) || simple(leftName, rightName) || compare(leftValue, rightValue)
      if (order !== 0) return order
    }
    return simple(lefts.length, rights.length)
  }
  return type < 2 ? 0 : simple(+left === +left && type !== 3 ? +left : left, +right === +right && type !== 3 ? +right : right)
}

const list = (obj, expr, options) => (Array.isArray(expr) ? expr.map((each) => evalExpr(obj, each, options)) : [evalExpr(obj, expr, options)])
const compared = (test) => (obj, expr, options) => test(compare(...list(obj, expr, options)))
/** One that is null where an argument is. */
const strict = (work) => (obj, expr, options) => {
  const values = list(obj, expr, options)
  return values.some(isNull) ? null : work(...values)
}
const arrays = (work) => strict((...values) => (values.every(Array.isArray) ? work(...values) : fail('not arrays')))
const unique = (values) => values.filter((value, place) => values.findIndex((other) => compare(other, value) === 0) === place)
const has = (values, value) => values.some((other) => compare(other, value) === 0)

function roundEven(number) {
  const floor = Math.floor(number)
  const part = number - floor
  if (part !== 0.5) return Math.round(number)
  return floor % 2 === 0 ? floor : floor + 1
}
const toPlace = (whole) => strict((number, place = 0) => {
  if (typeof number !== 'number') fail('not a number')
  const power = 10 ** Math.abs(place)
  return place < 0 ? whole(number / power) * power : whole(number * power) / power
})

const folded = (work) => (obj, expr, options) => {
  const [value] = list(obj, expr, options)
  if (isNull(value)) return ''
  if (value instanceof Date) return work(value.toISOString())
  if (typeof value === 'object') fail('no text')
  return work(String(value))
}

/** Values of a group, or of an array. */
const pushed = (coll, expr, options) => {
  if (expr === null || expr === undefined) return coll
  return coll.map((root) => evalExpr(root, expr, options.constructor.init(options).update({ root })))
}
const unsorted = (coll, expr, options) => pushed(coll, expr, options).filter((value) => typeof value === 'number' && !Number.isNaN(value))
const numbers = (coll, expr, options) => unsorted(coll, expr, options).sort((a, b) => a - b)
const extreme = (sign) => (coll, expr, options) => {
  const values = pushed(coll, expr, options).filter((value) => !isNull(value))
  return values.reduce((best, value) => (best === undefined || compare(value, best) * sign > 0 ? value : best), undefined) ?? null
}
const deviation = (more) => (coll, expr, options) => {
  let [count, mean, squares] = [0, 0, 0]
  for (const value of unsorted(coll, expr, options)) {
    const before = value - mean
    mean += before / ++count
    squares += before * (value - mean)
  }
  return count > more ? Math.sqrt(squares / (count - more)) : null
}
const percentile = (values, part) => (values.length === 0 ? null : values[Math.max(0, Math.ceil(part * values.length) - 1)])

/** Both as an expression over an array and over a group. */
const both = (ofGroup, ofArray) => (obj, expr, options) => (Array.isArray(obj) ? ofGroup(obj, expr, options) : ofArray(obj, expr, options))

const expressions = {
  $eq: compared((order) => order === 0),
  $ne: compared((order) => order !== 0),
  $gt: compared((order) => order > 0),
  $gte: compared((order) => order >= 0),
  $lt: compared((order) => order < 0),
  $lte: compared((order) => order <= 0),
  $cmp: compared((order) => order),
  $not: (obj, expr, options) => !isTrue(list(obj, expr, options)[0]),
  $add: strict((...values) => {
    const dates = values.filter((value) => value instanceof Date)
    if (dates.length > 1 || !values.every((value) => typeof value === 'number' || value instanceof Date)) fail('add')
    const sum = values.reduce((total, value) => total + +value, 0)
    return dates.length === 0 ? sum : new Date(roundEven(sum))
  }),
  $subtract: strict((left, right) => {
    if (!(left instanceof Date) && (typeof left !== 'number' || typeof right !== 'number')) fail('subtract')
    if (left instanceof Date && typeof right === 'number') return new Date(roundEven(left - right))
    return typeof right === 'number' || right instanceof Date ? left - right : fail('subtract')
  }),
  $mod: strict((number, by) => (typeof number !== 'number' || typeof by !== 'number' || by === 0 ? fail('mod') : number % by)),
  $pow: strict((base, exponent) => {
    if (typeof base !== 'number' || typeof exponent !== 'number' || (base === 0 && exponent < 0)) fail('pow')
    return orNull(base ** exponent)
  }),
  $round: toPlace(roundEven),
  $trunc: toPlace(Math.trunc),
  $toLower: folded((text) => text.toLowerCase()),
  $toUpper: folded((text) => text.toUpperCase()),
  $first: both(accumulator.$first, arrays((values) => values[0])),
  $last: both(accumulator.$last, arrays((values) => values.at(-1))),
  $slice: strict((values, first, count) => {
    if (!Array.isArray(values) || (count !== undefined && count < 1)) fail('slice')
    if (count === undefined) return first < 0 ? values.slice(first) : values.slice(0, first)
    const start = first < 0 ? Math.max(0, values.length + first) : first
    return values.slice(start, start + count)
  }),
  $in: (obj, expr, options) => {
    const [value, values] = list(obj, expr, options)
    return Array.isArray(values) ? has(values.map((each) => each ?? null), value ?? null) : fail('not an array')
  },
  $indexOfArray: (obj, expr, options) => {
    const [values, wanted, start = 0, end] = list(obj, expr, options)
    if (isNull(values)) return null
    if (!Array.isArray(values)) fail('not an array')
    return values.findIndex((value, place) => place >= start && (end === undefined || place < end) && compare(value, wanted ?? null) === 0)
  },
  $map: (obj, expr, options) => expression.$map(obj, expr, options)?.map((value) => value ?? null) ?? null,
  $concatArrays: arrays((...values) => values.flat()),
  $setUnion: arrays((...values) => unique(values.flat())),
  $setIntersection: arrays((first, ...others) => unique(first).filter((value) => others.every((other) => has(other, value)))),
  $setDifference: arrays((left, right) => unique(left).filter((value) => !has(right, value))),
  $dateAdd: (obj, expr, options) => added(evalExpr(obj, expr, options), 1),
  $dateSubtract: (obj, expr, options) => added(evalExpr(obj, expr, options), -1),
  $dateDiff: (obj, expr, options) => {
    const { startDate, endDate, unit } = evalExpr(obj, expr, options)
    if (isNull(startDate) || isNull(endDate)) return null
    const length = { second: 1000, millisecond: 1, minute: 60_000 }[unit]
    if (length === undefined) return expression.$dateDiff(obj, expr, options)
    return Math.floor(endDate / length) - Math.floor(startDate / length)
  },
}

function added({ startDate, unit, amount }, sign) {
  if (isNull(startDate) || isNull(amount)) return null
  const months = { year: 12, quarter: 3, month: 1 }[unit]
  const ms = { week: 604_800_000, day: 86_400_000, hour: 3_600_000, minute: 60_000, second: 1000, millisecond: 1 }[unit]
  if (months === undefined) return new Date(+startDate + ms * sign * amount)
  const date = new Date(startDate)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + sign * amount * months)
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, last))
  return date
}

const accumulators = {
  $push: (coll, expr, options) => pushed(coll, expr, options).filter((value) => value !== undefined),
  $addToSet: (coll, expr, options) => unique(pushed(coll, expr, options).filter((value) => value !== undefined)),
  $first: (coll, expr, options) => (coll.length === 0 ? null : accumulator.$first(coll, expr, options)),
  $last: (coll, expr, options) => (coll.length === 0 ? null : accumulator.$last(coll, expr, options)),
  $min: extreme(-1),
  $max: extreme(1),
  $stdDevPop: deviation(0),
  $stdDevSamp: deviation(1),
}

const percentiles = {
  $percentile: (coll, { input, p }, options) => p.map((part) => percentile(numbers(coll, input, options), part)),
  $median: (coll, { input }, options) => percentile(numbers(coll, input, options), 0.5),
}

const valueAt = (document, path) => path.split('.').reduce((value, name) => (isNull(value) || typeof value !== 'object' || Array.isArray(value) ? undefined : value[name]), document)
const clone = (document) => structuredClone(document)

function assign(document, path, value) {
  const [name, ...rest] = path.split('.')
  if (rest.length > 0) {
    const below = document[name]
    const isObject = typeof below === 'object' && below !== null && !(below instanceof Date)
    document[name] = isObject ? below : {}
    if (Array.isArray(below)) document[name] = below.map((each) => assign(typeof each === 'object' && each !== null ? each : {}, rest.join('.'), value))
    else assign(document[name], rest.join('.'), value)
  } else if (value === undefined) delete document[name]
  else document[name] = value
  return document
}

/** An array sorts by its least or greatest element, without elements before null. */
function sortKey(value, direction) {
  if (!Array.isArray(value)) return [1, value]
  const sorted = value.map((element) => element ?? null).sort(compare)
  return value.length === 0 ? [0, null] : [1, direction > 0 ? sorted[0] : sorted.at(-1)]
}

const set = (coll, expr, options) => coll.map((document) => {
  const made = clone(document)
  const values = Object.entries(expr).map(([path, value]) => [path, evalExpr(document, value, options)])
  for (const [path, value] of values) assign(made, path, value)
  return made
})

const each = (coll, work) => coll.transform((rows) => Lazy(work(rows)))

const stages = {
  $set: set,
  $addFields: set,
  $sort: (coll, expr) => each(coll, (rows) => {
    const fields = Object.entries(expr)
    return [...rows].sort((left, right) => {
      for (const [path, direction] of fields) {
        const [[leftRank, leftKey], [rightRank, rightKey]] = [left, right].map((row) => sortKey(valueAt(row, path) ?? null, direction))
        const order = leftRank - rightRank || compare(leftKey, rightKey)
        if (order !== 0) return order * direction
      }
      return 0
    })
  }),
  $unwind: (coll, expr) => each(coll, (rows) => rows.flatMap((row) => {
    const { path, includeArrayIndex: index, preserveNullAndEmptyArrays: keep } = typeof expr === 'string' ? { path: expr } : expr
    const at = path.slice(1)
    const value = valueAt(row, at)
    const numbered = (document, place) => (index === undefined ? document : { ...document, [index]: place })
    if (Array.isArray(value)) {
      if (value.length > 0) return value.map((element, place) => numbered(assign(clone(row), at, element), place))
      return keep ? [numbered(assign(clone(row), at, undefined), null)] : []
    }
    return isNull(value) && !keep ? [] : [numbered(clone(row), null)]
  })),
  $count: (coll, expr) => each(coll, (rows) => (rows.length === 0 ? [] : [{ [expr]: rows.length }])),
  $bucket: (coll, { groupBy, boundaries, default: other, output = { count: { $sum: 1 } } }, options) => {
    const branches = boundaries.slice(0, -1).map((low, place) => ({
      case: { $and: [{ $gte: [groupBy, low] }, { $lt: [groupBy, boundaries[place + 1]] }] }, then: { $literal: low },
    }))
    const chosen = { $switch: { branches, default: { $literal: other } } }
    return stages.$sort(pipeline.$group(coll, { _id: chosen, ...output }, options), { _id: 1 })
  },
  $lookup: (coll, expr, options) => pipeline.$lookup(coll, expr, options).map((row) => ({ ...row, [expr.as]: row[expr.as].filter((found, place, all) => found !== undefined && all.indexOf(found) === place) })),
  $sortByCount: (coll, expr, options) => stages.$sort(pipeline.$group(coll, { _id: expr, count: { $sum: 1 } }, options), { count: -1 }),
}

const CONTEXT = Context.init({
  accumulator: { ...accumulator, ...accumulators, ...percentiles },
  expression: { ...without(expression, ['$percentile', '$median']), ...expressions },
  pipeline: { ...pipeline, ...stages },
  projection,
  query,
  window,
})

function without(operators, names) {
  return Object.fromEntries(Object.entries(operators).filter(([name]) => !names.includes(name)))
}

/** What the pipeline gives of these documents; other collections by name. */
export function reference(documents, stages, collections) {
  const aggregator = new Aggregator(structuredClone(stages), { context: CONTEXT, idKey: '_id', collectionResolver: (name) => structuredClone(collections[name]) })
  return aggregator.run(structuredClone(documents))
}
