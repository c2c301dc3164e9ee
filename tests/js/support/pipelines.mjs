// Random documents, expressions and pipelines, of which both sides must say the same.
//
// Expressions have a type, so that most of them are no mistake; a few are one, and then both sides must refuse.

/** Chance, from numbers in [0, 1). */
export function chance(random) {
  const below = (bound) => Math.floor(random() * bound)
  const one = (values) => values[below(values.length)]
  const maybe = (share) => random() < share
  return { below, one, maybe }
}

const WORDS = ['', 'a', 'b', 'ab', 'north', 'South', 'x,y', ' pad ', 'zz', '\u00fc', '\u{1f600}k']
const START = Date.UTC(2020, 0, 1)

/** Documents with fields of every kind; some are null, some missing, some of mixed types. */
export function makeDocuments(random, count) {
  const { below, one, maybe } = chance(random)
  const number = () => (maybe(0.5) ? below(20) - 5 : (below(4000) - 1000) / 8)
  const date = () => new Date(START + below(3000) * 43_200_000 + below(86_400_000))
  const scalar = () => one([number, () => one(WORDS), () => maybe(0.5), () => null, date])()
  const many = (make, most = 5) => Array.from({ length: below(most) }, make)
  return Array.from({ length: count }, (_, _id) => {
    const document = { _id, m: below(6), s: one(WORDS), b: maybe(0.5), d: date(), a: many(number), w: many(() => one(WORDS)) }
    if (maybe(0.8)) document.n = maybe(0.2) ? null : number()
    if (maybe(0.7)) document.t = maybe(0.2) ? null : one(WORDS)
    if (maybe(0.8)) document.x = scalar()
    document.o = { x: number(), ...(maybe(0.5) && { y: one(WORDS) }), z: { w: number() } }
    document.l = many(() => ({ k: below(5), ...(maybe(0.6) && { v: one(WORDS) }) }), 4)
    if (maybe(0.15)) document.a = null
    if (maybe(0.15)) delete document.w
    return document
  })
}

/** Expressions by type. */
export function expressions(random) {
  const { below, one, maybe } = chance(random)
  const unit = () => one(['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond'])
  const small = () => below(9) - 3
  const leaf = {
    number: () => one([() => '$n', () => '$m', () => '$o.x', () => '$o.z.w', () => below(100) / 4 - 5, small, () => '$$ROOT.m', () => ({ $literal: small() })])(),
    text: () => one([() => '$s', () => '$t', () => '$o.y', () => one(WORDS)])(),
    bool: () => one([() => '$b', () => true, () => false])(),
    date: () => one([() => '$d', () => new Date(START + below(1e9))])(),
    numbers: () => one([() => '$a', () => '$l.k', () => [small(), small(), '$m'], () => []])(),
    any: () => one([() => '$x', () => '$n', () => '$t', () => null, () => '$nope', () => '$b', () => '$d', () => '$o', () => '$a'])(),
  }
  const make = {
    number: (deep) => one([
      () => ({ $add: some('number', deep) }), () => ({ $subtract: two('number', deep) }), () => ({ $multiply: some('number', deep) }),
      () => ({ $divide: [of('number', deep), one([2, 4, -8, '$m'])] }), () => ({ $mod: [of('number', deep), one([3, 7, -4, 2.5])] }),
      () => ({ [one(['$abs', '$ceil', '$floor'])]: of('number', deep) }), () => ({ [one(['$round', '$trunc'])]: [of('number', deep), one([0, 1, 2, -1])] }),
      () => ({ $sqrt: { $abs: of('number', deep) } }), () => ({ $pow: ['$m', one([0, 1, 2, 3])] }), () => ({ $exp: '$m' }),
      () => ({ [one(['$ln', '$log10'])]: { $add: [{ $abs: of('number', deep) }, 1] } }), () => ({ $log: [{ $add: ['$m', 1] }, one([2, 10, 3])] }),
      () => ({ $cond: [of('bool', deep), of('number', deep), of('number', deep)] }), () => ({ $ifNull: [of('number', deep), of('number', deep)] }),
      () => ({ $switch: { branches: [{ case: of('bool', deep), then: of('number', deep) }], default: of('number', deep) } }),
      () => ({ $size: { $ifNull: [of('numbers', deep), []] } }), () => ({ $strLenCP: { $ifNull: [of('text', deep), ''] } }),
      () => ({ $cmp: two('any', deep) }), () => ({ [one(['$sum', '$avg', '$min', '$max', '$stdDevPop', '$stdDevSamp'])]: { $ifNull: [of('numbers', deep), []] } }),
      () => ({ $arrayElemAt: [of('numbers', deep), small()] }), () => ({ $indexOfArray: [of('numbers', deep), of('number', deep)] }),
      () => ({ [one(['$year', '$month', '$dayOfMonth', '$dayOfWeek', '$dayOfYear', '$hour', '$minute', '$second', '$millisecond', '$isoDayOfWeek'])]: of('date', deep) }),
      () => ({ $dateDiff: { startDate: of('date', deep), endDate: of('date', deep), unit: unit() } }),
      () => ({ $subtract: two('date', deep) }), () => ({ $toInt: { $floor: of('number', deep) } }), () => ({ $toDouble: of('bool', deep) }), () => ({ $toLong: of('date', deep) }),
      () => ({ $let: { vars: { v: of('number', deep), u: of('number', deep) }, in: { $add: ['$$v', { $ifNull: ['$$u', 1] }] } } }),
      () => ({ $reduce: { input: { $ifNull: [of('numbers', deep), []] }, initialValue: small(), in: { $add: ['$$value', { $multiply: ['$$this', 2] }] } } }),
    ])(),
    text: (deep) => one([
      () => ({ $concat: some('text', deep) }), () => ({ [one(['$toLower', '$toUpper'])]: of('text', deep) }), () => ({ $substrCP: [of('text', deep), below(4), below(4)] }),
      () => ({ [one(['$trim', '$ltrim', '$rtrim'])]: { input: { $ifNull: [of('text', deep), ' q '] } } }), () => ({ $trim: { input: '$s', chars: 'ab ' } }),
      () => ({ [one(['$replaceOne', '$replaceAll'])]: { input: of('text', deep), find: one(['a', 'o', 'zz']), replacement: one(['', 'Q', 'aa']) } }),
      () => ({ $toString: of(one(['bool', 'date', 'text']), deep) }), () => ({ $toString: { $floor: of('number', deep) } }), () => ({ $type: alone(of('any', deep)) }),
      () => ({ $dateToString: { date: of('date', deep), format: one(['%Y-%m-%d', '%H:%M:%S.%L', '%j %u %w']), ...(maybe(0.3) && { timezone: one(['+02:00', '-0330', '+05']) }) } }),
      () => ({ $dateToString: { date: '$d' } }), () => ({ $cond: { if: of('bool', deep), then: of('text', deep), else: of('text', deep) } }), () => ({ $arrayElemAt: ['$w', small()] }),
    ])(),
    bool: (deep) => one([
      () => ({ [one(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'])]: two('number', deep) }), () => ({ [one(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'])]: two('any', deep) }),
      () => ({ [one(['$and', '$or'])]: some(one(['bool', 'any']), deep) }), () => ({ $not: [of(one(['bool', 'any']), deep)] }), () => ({ $in: [of('number', deep), { $ifNull: [of('numbers', deep), []] }] }),
      () => ({ $isArray: [of('any', deep)] }), () => ({ $regexMatch: { input: of('text', deep), regex: one(['^a', 'b$', '[ou]r?t', 'z{2}|,']), options: one(['', 'i']) } }), () => ({ $toBool: alone(of('any', deep)) }), () => ({ $isNumber: alone(of('any', deep)) }),
      () => ({ [one(['$setEquals', '$setIsSubset'])]: [{ $ifNull: [of('numbers', deep), []] }, { $ifNull: [of('numbers', deep), []] }] }),
      () => ({ [one(['$anyElementTrue', '$allElementsTrue'])]: [{ $ifNull: ['$a', []] }] }),
    ])(),
    date: (deep) => one([
      () => ({ $dateTrunc: { date: of('date', deep), unit: unit(), ...(maybe(0.4) && { binSize: below(5) + 1 }) } }),
      () => ({ $dateTrunc: { date: of('date', deep), unit: 'week', startOfWeek: one(['monday', 'Thu', 'sunday']) } }),
      () => ({ [one(['$dateAdd', '$dateSubtract'])]: { startDate: of('date', deep), unit: unit(), amount: below(30) } }),
      () => ({ $add: [of('date', deep), below(1e6)] }), () => ({ $subtract: [of('date', deep), below(1e6)] }), () => ({ $toDate: { $toLong: of('date', deep) } }),
    ])(),
    numbers: (deep) => one([
      () => ({ $map: { input: of('numbers', deep), as: 'i', in: { $add: ['$$i', of('number', deep)] } } }), () => ({ $filter: { input: of('numbers', deep), as: 'f', cond: { $gt: ['$$f', of('number', deep)] } } }),
      () => ({ $slice: [of('numbers', deep), small()] }), () => ({ $slice: [of('numbers', deep), small(), below(3) + 1] }), () => ({ $concatArrays: [of('numbers', deep), of('numbers', deep)] }),
      () => ({ $reverseArray: { $ifNull: [of('numbers', deep), []] } }), () => ({ $range: [below(5), below(12), one([1, 2, 3, -1])] }), () => ({ $sortArray: { input: of('numbers', deep), sortBy: one([1, -1]) } }),
      () => ({ [one(['$setUnion', '$setIntersection', '$setDifference'])]: [of('numbers', deep), of('numbers', deep)] }),
    ])(),
    any: (deep) => one([
      () => ({ p: of('any', deep) ?? '$x', q: of('number', deep) }), () => ({ $objectToArray: '$o' }), () => ({ $mergeObjects: ['$o', { k: of('any', deep) }] }), () => ({ $split: ['$s', one([',', 'a'])] }),
      () => ({ $arrayToObject: [[['k', { $ifNull: [of('number', deep), 0] }]]] }), () => ({ [one(['$first', '$last'])]: '$l' }), () => ({ $ifNull: [of('any', deep), of('any', deep)] }),
      () => ({ $convert: { input: of('number', deep), to: one(['bool', 'double']), onError: 'bad', onNull: 'none' } }), () => ({ $convert: { input: alone(of('any', deep)), to: 'bool', onNull: 'none' } }),
    ])(),
  }
  function of(type, deep) {
    if (deep > 0 && maybe(0.65)) return make[type](deep - 1)
    if (type === 'any' && maybe(0.4)) return of(one(['number', 'text', 'bool', 'date', 'numbers']), deep)
    return leaf[type]()
  }
  /** An array that is written out would be several arguments. */
  const alone = (expression) => (Array.isArray(expression) ? { $ifNull: [expression, []] } : expression)
  const some = (type, deep) => Array.from({ length: 1 + below(3) }, () => of(type, deep))
  const two = (type, deep) => [of(type, deep), of(type, deep)]
  return { of, any: (deep) => of(one(['number', 'number', 'text', 'bool', 'date', 'numbers', 'any']), deep) }
}

/** A pipeline over such documents. */
export function makePipeline(random) {
  const { below, one, maybe } = chance(random)
  const { of, any } = expressions(random)
  // mingo takes null as an argument for the documents themselves.
  const some = (type, deep) => of(type, deep) ?? '$x'
  const accumulator = (deep) => one([
    () => ({ $sum: one([1, of('number', deep)]) }), () => ({ $avg: of('number', deep) }), () => ({ [one(['$min', '$max'])]: some(one(['number', 'any']), deep) }), () => ({ $count: {} }),
    () => ({ [one(['$push', '$first', '$last'])]: any(deep) ?? '$x' }), () => ({ $addToSet: some(one(['number', 'text', 'any']), deep) }), () => ({ [one(['$stdDevPop', '$stdDevSamp'])]: of('number', deep) }),
    () => ({ $percentile: { input: of('number', deep), p: [0.1, 0.5, 0.95] } }), () => ({ $median: { input: of('number', deep) } }),
  ])()
  const output = () => Object.fromEntries(Array.from({ length: 1 + below(3) }, (_, n) => [`f${n}`, accumulator(1)]))
  const match = () => one([
    () => ({ m: { [one(['$gt', '$lte', '$ne', '$eq'])]: below(6) } }), () => ({ s: { $in: [one(WORDS), one(WORDS)] } }), () => ({ n: { $exists: maybe(0.5) }, b: maybe(0.5) }),
    () => ({ $expr: of('bool', 2) }), () => ({ $or: [{ m: below(6) }, { b: true }], $expr: of('bool', 1) }), () => ({ 'o.x': { $gte: below(10) } }),
  ])()
  // Stages that leave documents in the form that they have.
  const keeping = () => one([
    () => ({ $match: match() }), () => ({ $sort: { [one(['m', 'n', 'x', 's', 'd', 'o.x'])]: one([1, -1]), _id: 1 } }), () => ({ $skip: below(4) }), () => ({ $limit: 1 + below(20) }),
    () => ({ [one(['$set', '$addFields'])]: { [one(['r', 'n', 'o.x', 'o.new', 'fresh.in'])]: any(2), r2: any(2) } }), () => ({ $unset: one(['t', ['x', 'o.y'], 'l.v']) }),
  ])()
  const last = () => one([
    () => ({ $project: { y1: any(3), y2: any(3), ...(maybe(0.5) && { m: 1, 'o.x': 1 }), ...(maybe(0.3) && { _id: 0 }) } }), () => ({ $project: { [one(['a', 'o.z', 'l.k'])]: 0 } }), () => ({ $project: { 'l.k': 1, o: { y: 1 } } }),
    () => ({ $group: { _id: one([() => null, () => any(1), () => '$m', () => ({ a: '$m', b: any(1) })])(), ...output() } }),
    () => ({ $bucket: { groupBy: one(['$m', '$n', '$o.x']), boundaries: [-5, 0, 2.5, 10], default: one(['other', 99, -9]), ...(maybe(0.6) && { output: output() }) } }),
    () => ({ $sortByCount: one(['$m', '$s', '$x']) }), () => ({ $count: 'count' }), () => ({ $replaceRoot: { newRoot: one(['$o', { a: any(2), b: '$_id' }]) } }), () => ({ $replaceWith: { $mergeObjects: ['$o', { q: any(1) }] } }),
    () => ({ $unwind: one(['$a', '$l', { path: '$w', preserveNullAndEmptyArrays: maybe(0.5), includeArrayIndex: 'place' }, { path: '$x', preserveNullAndEmptyArrays: true }]) }),
    () => ({ $facet: { one: [{ $match: match() }, { $count: 'c' }], two: [{ $sort: { _id: -1 } }, { $limit: 3 }, { $project: { s: 1 } }], three: [{ $group: { _id: '$m', ...output() } }] } }),
    () => ({ $unionWith: one(['other', { coll: 'other', pipeline: [{ $match: match() }, { $sort: { _id: 1 } }, { $set: { from: 'other' } }] }]) }),
  ])()
  const joined = () => one([
    () => ({ $lookup: { from: 'other', localField: one(['m', 'n', 'a', 's', 'nope', 'l.k']), foreignField: one(['_id', 'm', 'a', 's', 'l.k']), as: 'j' } }),
    () => ({ $lookup: { from: 'other', let: { v: '$m' }, pipeline: [{ $match: { $expr: { $eq: ['$m', '$$v'] } } }, { $project: { m: 1, z: { $add: ['$$v', 1] } } }], as: 'j' } }),
    () => ({ $lookup: { from: 'other', pipeline: [{ $limit: 2 }, { $project: { s: 1 } }], as: 'j' } }),
  ])()
  const windowed = () => {
    const bounds = one([['unbounded', 'current'], [-2, 0], [-1, 1], ['current', 'unbounded'], ['unbounded', 'unbounded'], [1, 3], [-3, -1]])
    const functions = () => one([
      () => ({ ...accumulator(1), window: { documents: bounds } }), () => ({ ...accumulator(0) }), () => ({ $sum: of('number', 1), window: { range: [-below(5), one([0, 3, 'unbounded'])] } }), () => ({ $documentNumber: {} }), () => ({ $rank: {} }), () => ({ $denseRank: {} }),
      () => ({ $shift: { output: '$m', by: one([-1, 1, 2]), default: 'none' } }),
    ])()
    return { $setWindowFields: { ...(maybe(0.7) && { partitionBy: one(['$m', '$b']) }), sortBy: { _id: 1 }, output: { r: functions(), q: functions() } } }
  }
  const stages = Array.from({ length: below(4) }, keeping)
  // An index may answer what comes first, and then its order is the documents'.
  const matches = stages.findIndex((stage) => stage.$match === undefined)
  if (matches !== 0 && stages.length > 0) stages.splice(matches < 0 ? stages.length : matches, 0, { $sort: { _id: 1 } })
  const kind = random()
  if (kind < 0.1) stages.push(joined(), { $set: { j: { $sortArray: { input: '$j', sortBy: { _id: 1 } } } } })
  else if (kind < 0.2) stages.push(windowed(), { $sort: { _id: 1 } })
  else if (kind < 0.85) stages.push(last())
  return stages
}
