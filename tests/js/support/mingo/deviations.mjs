// Where HyphaDB means something else than mingo does, case by case: docs/queries.md has the reasons. Not tests.
//
// Each answers for one document and one condition, and rather once too often: what it names is not compared.
// Invariant: what nothing here names must be equal.

const isObject = (value) => typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
const isPattern = (value) => value instanceof RegExp
const isOperators = (value) => isObject(value) && Object.keys(value).some((name) => name.startsWith('$'))

/** What lies at a path, and how one came there. */
export function reach(document, path) {
  const found = { values: [], isMissing: false, throughArray: false, meetsNested: false, entersBytes: false, isBeyond: false }
  follow(document, path.split('.'), found)
  return found
}

function follow(value, parts, found) {
  if (parts.length === 0) return void (value === undefined ? (found.isMissing = true) : found.values.push(value))
  const [name, ...rest] = parts
  if (Array.isArray(value)) {
    if (/^\d+$/u.test(name)) {
      if (Number(name) >= value.length) found.isBeyond = true
      return follow(value[Number(name)], rest, found)
    }
    found.throughArray = true
    for (const element of value) {
      if (Array.isArray(element)) found.meetsNested = true
      if (isObject(element)) follow(element[name], rest, found)
    }
    return
  }
  if (value instanceof Uint8Array) found.entersBytes = true
  if (!isObject(value)) return void (found.isMissing = true)
  follow(value[name], rest, found)
}

const hasBigint = (value) => typeof value === 'bigint' || (Array.isArray(value) && value.some(hasBigint))
const isUnsorted = (value) => isObject(value) && Object.keys(value).some((name, at, all) => at > 0 && all[at - 1] > name)
const looksLike = (one, other) => isObject(one) && isObject(other) && Object.keys(one).length === Object.keys(other).length
const COMPARING = ['$gt', '$gte', '$lt', '$lte']
const EQUALITY = ['$eq', '$ne', '$in', '$nin', '$all']

/** The name of the deviation in which a condition falls for a document; undefined where there is none. */
function ofCondition(document, path, operator, operand) {
  const { values, isMissing, throughArray, meetsNested, entersBytes, isBeyond } = reach(document, path)
  const operands = ['$in', '$nin', '$all'].includes(operator) ? operand : [operand]
  const arrays = values.filter(Array.isArray)
  const elements = arrays.flat(1)
  const looked = [...values, ...elements]
  if (entersBytes) return 'bytes have no fields'
  if (meetsNested) return 'arrays in arrays are not entered'
  if (throughArray && (arrays.length > 0 || ['$elemMatch', '$size', '$all', '$type'].includes(operator) || operands.some(Array.isArray))) return 'an array met through another is looked into'
  if (looked.some(hasBigint) || operands.some(hasBigint)) return 'numbers and bigints are one type'
  if (operands.some(isUnsorted) && looked.some((value) => operands.some((one) => looksLike(one, value)))) return 'fields have an order'
  if (throughArray && [...EQUALITY, '$gte', '$lte'].includes(operator) && operands.includes(null)) return 'a field missing in an element is null'
  if (isBeyond && [...EQUALITY, '$gte', '$lte'].includes(operator) && operands.includes(null)) return 'an element beyond the end is not null'
  if (['$gte', '$lte'].includes(operator) && operand === null && isMissing) return 'what is missing is compared as null'
  if ([...EQUALITY, '$regex'].includes(operator) && elements.some(Array.isArray)) return 'arrays in arrays are not entered'
  if (['$in', '$nin'].includes(operator) && operands.some(Array.isArray) && arrays.length > 0) return 'a list may name a whole array'
  if (COMPARING.includes(operator) && (Array.isArray(operand) || isObject(operand))) return 'arrays and objects have an order'
  if (COMPARING.includes(operator) && operand instanceof Uint8Array && looked.some((value) => value instanceof Uint8Array)) return 'arrays and objects have an order'
  switch (operator) {
    case '$type': return arrays.length > 0 ? 'a type is asked of elements too' : undefined
    case '$mod': return looked.some((value) => typeof value !== 'number' || !Number.isInteger(value)) ? 'a remainder is of whole numbers' : undefined
    case '$all': return ofAll(values, operands)
    case '$elemMatch': return ofElements(values, operand)
    case '$not': return isPattern(operand) ? ofCondition(document, path, '$regex', operand) : ofField(document, path, operand)
    default: return undefined
  }
}

function ofAll(values, operands) {
  if (values.some((value) => !Array.isArray(value)) || values.length === 0) return 'all of one value'
  if (operands.some(Array.isArray) || values.some((value) => value.length === 0)) return 'all of one value'
  return operands.filter((one) => isOperators(one)).map((one) => ofElements(values, one.$elemMatch)).find(Boolean)
}

function ofElements(values, operand) {
  const isOfValue = Object.keys(operand).length > 0 && Object.keys(operand).every((name) => name.startsWith('$') && !['$and', '$or', '$nor'].includes(name))
  for (const element of values.filter(Array.isArray).flat(1)) {
    if (Array.isArray(element)) return 'arrays in arrays are not entered'
    if (!isOfValue && !isObject(element)) return 'elements with fields are objects'
    const deviation = isOfValue ? ofField({ field: element }, 'field', operand) : deviationOf({ ...element }, operand)
    if (deviation !== undefined) return deviation
  }
  return undefined
}

function ofField(document, path, operand) {
  if (isPattern(operand)) return ofCondition(document, path, '$regex', operand)
  if (!isOperators(operand)) return ofCondition(document, path, '$eq', operand)
  return Object.entries(operand).filter(([name]) => name !== '$options').map(([operator, one]) => ofCondition(document, path, operator, one)).find(Boolean)
}

/** The deviation in which a filter falls for a document; undefined where there is none. */
export function deviationOf(document, filter) {
  for (const [name, operand] of Object.entries(filter)) {
    const deviation = name.startsWith('$') ? operand.map((one) => deviationOf(document, one)).find(Boolean) : ofField(document, name, operand)
    if (deviation !== undefined) return deviation
  }
  return undefined
}

const isSame = (one, other) => (one instanceof Date && other instanceof Date ? +one === +other : one === other)
const hasTwins = (list) => list.some((one, at) => list.slice(0, at).some((other) => isSame(one, other) || (isObject(one) && isObject(other)) || (one instanceof Uint8Array && other instanceof Uint8Array) || (Array.isArray(one) && Array.isArray(other))))
const isOrderly = (list) => ['number', 'string'].some((type) => list.every((value) => typeof value === type))

/** The deviation in which an operator of an update falls at a value. */
function ofChange(operator, value, operand) {
  const parts = isObject(operand) && '$each' in operand ? operand : { $each: [operand] }
  const all = [...(Array.isArray(value) ? value : []), ...(parts.$each ?? [])]
  if (!['$pull', '$pullAll'].includes(operator) && (hasBigint(value) || hasBigint(operand))) return 'numbers and bigints are one type'
  switch (operator) {
    case '$push':
      if (value === undefined && (parts.$slice !== undefined || parts.$sort !== undefined)) return 'a new array is sorted and cut too'
      if (isObject(parts.$sort)) return all.every((one) => isObject(one) && typeof one.n === 'number') ? undefined : 'elements are sorted in the order of values'
      return parts.$sort === undefined || isOrderly(all) ? undefined : 'elements are sorted in the order of values'
    case '$addToSet': return hasTwins(Array.isArray(value) ? value : all) || all.some(isUnsorted) ? 'twins that are there stay' : undefined
    case '$min': case '$max': return typeof value === 'object' && value !== null && !(value instanceof Date) ? 'arrays and objects have an order' : undefined
    case '$pullAll': return ofChange('$pull', value, { $in: operand })
    case '$pull': {
      if (!Array.isArray(value)) return undefined
      const isWrapped = !isObject(operand) || isOperators(operand)
      if (value.some(Array.isArray) || (!isWrapped && value.some((one) => !isObject(one)))) return 'elements are taken out as they are'
      return value.map((one) => deviationOf(isWrapped ? { k: one } : one, isWrapped ? { k: operand } : operand)).find(Boolean)
    }
    default: return undefined
  }
}

/** The deviation in which an update falls for a document; undefined where there is none. */
export function deviationOfUpdate(document, update) {
  for (const [operator, changes] of Object.entries(update)) {
    for (const [path, operand] of Object.entries(changes)) {
      const deviation = path.includes('$') ? undefined : ofChange(operator, at(document, path), operand)
      if (deviation !== undefined) return deviation
    }
  }
  return undefined
}

function at(document, path) {
  return path.split('.').reduce((value, name) => (isObject(value) || (Array.isArray(value) && /^\d+$/u.test(name)) ? value[name] : undefined), document)
}

/** Whether an update meets a value that its operator is not for. mingo passes over it; HyphaDB refuses. */
export function mustRefuse(document, update) {
  return Object.entries(update).some(([operator, changes]) => Object.entries(changes).some(([path, operand]) => refusesChange(document, operator, path, operand)))
}

const MAKES = ['$set', '$inc', '$mul', '$bit', '$min', '$max', '$push', '$addToSet']

function refusesChange(document, operator, path, operand) {
  if (operator === '$rename') {
    return leadsIntoArray(document, path) || leadsIntoArray(document, operand) || (at(document, path) !== undefined && isBlocked(document, operand))
  }
  if (MAKES.includes(operator) && isBlocked(document, path)) return true
  return refusesValue(operator, at(document, path))
}

export function refusesValue(operator, value) {
  if (value === undefined) return false
  if (['$inc', '$mul'].includes(operator)) return typeof value !== 'number' && typeof value !== 'bigint'
  if (operator === '$bit') return !Number.isInteger(value) && typeof value !== 'bigint'
  return ['$push', '$addToSet', '$pop', '$pull', '$pullAll'].includes(operator) && !Array.isArray(value)
}

/** Whether something on the way has no such field, and none can be made. */
export function isBlocked(document, path) {
  let value = document
  for (const name of path.split('.')) {
    if (value === undefined) return false
    if (Array.isArray(value) ? !/^\d+$/u.test(name) : !isObject(value)) return true
    value = value[name]
  }
  return false
}

function leadsIntoArray(document, path) {
  const names = path.split('.')
  return names.some((_, count) => count > 0 && Array.isArray(at(document, names.slice(0, count).join('.'))))
}
