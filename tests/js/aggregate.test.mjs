// Pipelines through the published package: what a dashboard asks, in every way to run them, and what is refused.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { freshName, makeReadings, openReadings, refuses } from './support/check.mjs'
import { memory, open } from 'hyphadb'

const docs = makeReadings(3000)
const TOTALS = [{ $match: { agent: { $lt: 3 } } }, { $group: { _id: '$site', n: { $sum: 1 }, mean: { $avg: '$value' }, most: { $max: '$total' } } }, { $sort: { _id: 1 } }]

async function filled(t) {
  const opened = await openReadings(t)
  await opened.readings.insertMany(docs)
  return opened
}

function totals() {
  return ['north', 'south'].map((site) => {
    const of = docs.filter((doc) => doc.agent < 3 && doc.site === site)
    return { _id: site, n: of.length, mean: of.reduce((sum, { value }) => sum + value, 0) / of.length, most: of.at(-1).total }
  })
}

describe('a pipeline', () => {
  test('gives documents, columns and an iteration of them', async (t) => {
    const { readings } = await filled(t)
    const query = readings.aggregate(TOTALS)
    assert.deepStrictEqual(await query.toArray(), totals())
    assert.deepStrictEqual(await query.toArray(), totals(), 'it runs again')
    const columns = await query.columns()
    assert.deepStrictEqual(Object.keys(columns), ['_id', 'n', 'mean', 'most'])
    assert.deepStrictEqual(columns.n, Float64Array.from(totals(), ({ n }) => n))
    assert.deepStrictEqual(columns._id, ['north', 'south'])
    assert.deepStrictEqual(Object.keys(await query.columns(['most', 'nope'])), ['most', 'nope'])
    const seen = []
    for await (const doc of readings.aggregate([{ $set: { twice: { $multiply: ['$value', 2] } } }, { $project: { twice: 1 } }])) seen.push(doc)
    assert.deepStrictEqual(seen, docs.map(({ id, value }) => ({ id, twice: value * 2 })))
    for await (const doc of readings.aggregate([{ $sort: { value: -1 } }])) {
      assert.equal(doc.id, 'r02999')
      break
    }
  })

  test('of columns, fields that come late are null before', async (t) => {
    const { readings } = await filled(t)
    const late = await readings.aggregate([{ $limit: 3 }, { $set: { late: { $cond: [{ $eq: ['$id', 'r00002'] }, 1, '$$REMOVE'] } } }, { $project: { late: 1 } }]).columns()
    assert.deepStrictEqual(late, { id: ['r00000', 'r00001', 'r00002'], late: [null, null, 1] })
  })

  test('leaves to the find what it can do, and says so', async (t) => {
    const { readings } = await filled(t)
    const explain = (pipeline) => readings.aggregate(pipeline).explain()
    const byIndex = await explain([{ $match: { site: 'north' } }, { $match: { ts: { $gt: docs[5].ts } } }, { $sort: { ts: 1 } }, { $skip: 1 }, { $limit: 5 }, { $project: { ts: 1 } }])
    assert.deepEqual([byIndex.plan, byIndex.index, byIndex.sorted, byIndex.pushed, byIndex.stages], ['index', 'site_ts', true, 5, ['$project']])
    const sorted = await explain([{ $sort: { value: 1 } }, { $group: { _id: null } }])
    assert.deepEqual([sorted.pushed, sorted.stages], [1, ['$group']])
    assert.deepEqual((await explain([{ $sort: { value: 1 } }, { $limit: 2 }])).stages, [])
  })

  test('sees in a transaction what it wrote', async (t) => {
    const { db, readings } = await filled(t)
    await db.transaction(async (tx) => {
      await tx.collection('readings').deleteMany({ agent: { $lt: 3 } })
      assert.deepStrictEqual(await tx.collection('readings').aggregate(TOTALS).toArray(), [])
      assert.deepStrictEqual(await readings.aggregate(TOTALS).toArray(), totals())
      assert.deepStrictEqual(await tx.collection('readings').aggregate([{ $count: 'left' }]).toArray(), [{ left: docs.filter(({ agent }) => agent >= 3).length }])
    })
  })

  test('of several collections reads each with its own shapes', async (t) => {
    const db = await open({ name: freshName(), storage: memory(), collections: { a: { key: 'id', indexes: ['of'] }, b: { key: 'id', indexes: ['of'] } } })
    t.after(() => db.close())
    await db.collection('a').insertMany([{ id: 1, x: { p: 1 }, of: 5 }, { id: 2, x: { p: 2 }, of: [5, 6] }])
    await db.collection('b').insertMany([{ id: 1, y: ['q'], of: 6 }, { id: 2, z: null, of: 7 }])
    const union = [{ $unionWith: 'b' }]
    assert.deepStrictEqual((await db.collection('a').aggregate(union).toArray()).map(Object.keys), [['id', 'x', 'of'], ['id', 'x', 'of'], ['id', 'y', 'of'], ['id', 'z', 'of']])
    const iterated = []
    for await (const doc of db.collection('a').aggregate(union)) iterated.push(doc.id)
    assert.deepStrictEqual(iterated, [1, 2, 1, 2])
    const joined = await db.collection('b').aggregate([{ $lookup: { from: 'a', localField: 'of', foreignField: 'of', as: 'found' } }]).toArray()
    assert.deepStrictEqual(joined.map(({ found }) => found.map(({ id }) => id)), [[2], []])
    assert.deepStrictEqual(await db.collection('a').aggregate([{ $unionWith: 'b' }]).columns(['id']), { id: Float64Array.of(1, 2, 1, 2) })
  })

  test('of facets ends each by itself', async (t) => {
    const { readings } = await filled(t)
    const [facets] = await readings.aggregate([{ $facet: { two: [{ $limit: 2 }, { $count: 'n' }], all: [{ $count: 'n' }], tags: [{ $unwind: '$tags' }, { $skip: 5998 }, { $project: { tags: 1 } }] } }]).toArray()
    assert.deepStrictEqual(facets, { two: [{ n: 2 }], all: [{ n: 3000 }], tags: [{ id: 'r02999', tags: 't2' }, { id: 'r02999', tags: 'u4' }] })
    assert.deepStrictEqual(await readings.aggregate([{ $unwind: '$tags' }, { $limit: 3 }, { $count: 'n' }]).toArray(), [{ n: 3 }])
  })

  test('samples each document at most once', async (t) => {
    const { readings } = await filled(t)
    const sample = () => readings.aggregate([{ $sample: { size: 50 } }]).columns(['id'])
    const [first, second] = [(await sample()).id, (await sample()).id]
    assert.equal(new Set(first).size, 50)
    assert.notDeepEqual(first, second)
    assert.equal((await readings.aggregate([{ $sample: { size: 5000 } }]).toArray()).length, 3000)
  })

  test('is given up by its signal and its time', async (t) => {
    const { readings } = await filled(t)
    await refuses(readings.aggregate(TOTALS, { signal: AbortSignal.abort() }).toArray(), 'cancelled')
  })
})

describe('a pipeline is refused, before anything is read, for', () => {
  const deep = (levels) => (levels === 0 ? 1 : { $abs: deep(levels - 1) })
  const cases = [
    ['a stage that is not there', [{ $graphLookup: {} }], 'unsupported', /^stage 0 `\$graphLookup`: /],
    ['an operator that is not there', [{ $limit: 1 }, { $project: { a: { $add: [1, { $function: {} }] } } }], 'unsupported', /^stage 1 `\$project`: `a`: `\$add`: `1`: `\$function`: /],
    ['an accumulator that is not there', [{ $group: { _id: 1, n: { $accumulator: 1 } } }], 'unsupported', /^stage 0 `\$group`: `n`: `\$accumulator`: /],
    ['a collection that is not there', [{ $lookup: { from: 'nope', localField: 'a', foreignField: 'b', as: 'c' } }], 'invalid', /^stage 0 `\$lookup`: there is no collection `nope`$/],
    ['the same deeper', [{ $facet: { a: [{ $unionWith: 'nope' }] } }], 'invalid', /^stage 0 `\$facet`: `a`: stage 0 `\$unionWith`: there is no collection `nope`$/],
    ['two stages in one', [{ $limit: 1, $skip: 1 }], 'invalid', /^stage 0 is no object with one field/],
    ['no stage', [{}], 'invalid', /^stage 0 /],
    ['a filter that is wrong', [{ $match: { a: { $nope: 1 } } }], 'unsupported', /^stage 0 `\$match`: /],
    ['a limit of nothing', [{ $limit: 0 }], 'invalid', /above 0/],
    ['a direction', [{ $sort: { a: 2 } }], 'invalid', /^stage 0 `\$sort`: sort: direction of `a`/],
    ['fields kept and left out', [{ $project: { a: 1, b: 0 } }], 'invalid', /`b` is left out/],
    ['paths through each other', [{ $set: { a: 1, 'a.b': 2 } }], 'invalid', /`a.b`/],
    ['a group without key', [{ $group: { n: { $sum: 1 } } }], 'invalid', /`_id` is missing/],
    ['boundaries that do not ascend', [{ $bucket: { groupBy: '$a', boundaries: [1, 1] } }], 'invalid', /boundaries/],
    ['a window without order', [{ $setWindowFields: { output: { n: { $rank: {} } } } }], 'invalid', /`output`: `n`: `sortBy` is missing/],
    ['what is nested too deep', [{ $set: { a: deep(70) } }], 'limit', undefined],
    ['too many stages', Array(1001).fill({ $limit: 1 }), 'limit', /1001 stages/],
    ['an unknown argument', [{ $unwind: { path: '$a', preserve: true } }], 'invalid', /`preserve` is not known/],
    ['a variable that nobody bound', [{ $set: { a: '$$b' } }], 'invalid', /variable `\$\$b` is not known/],
  ]
  for (const [name, pipeline, code, message] of cases) {
    test(name, async (t) => {
      const { readings } = await openReadings(t)
      await refuses(readings.aggregate(pipeline).toArray(), code, message)
      await refuses(async () => { for await (const doc of readings.aggregate(pipeline)) assert.fail(doc) }, code, message)
    })
  }

  test('what is no pipeline at all', async (t) => {
    const { readings } = await openReadings(t)
    for (const pipeline of [undefined, {}, 'x', [1], [[]], [null]]) await refuses(async () => readings.aggregate(pipeline), 'invalid')
    await refuses(async () => readings.aggregate([], { allowDiskUse: true }), 'invalid', /allowDiskUse/)
    await refuses(async () => readings.aggregate([]).columns([]), 'invalid')
  })
})

describe('a pipeline that fails on the way', () => {
  test('names the stage and the operator', async (t) => {
    const { readings } = await filled(t)
    await refuses(readings.aggregate([{ $set: { a: { $divide: ['$value', { $subtract: ['$agent', '$agent'] }] } } }]).toArray(), 'invalid', /^`\$set`: `a`: `\$divide`: the divisor is 0$/)
    await refuses(readings.aggregate([{ $replaceRoot: { newRoot: '$value' } }]).toArray(), 'invalid', /^`\$replaceRoot`: the new document is number/)
  })

  test('takes no more memory and time than it may', async (t) => {
    const { readings } = await filled(t)
    const many = { $range: [0, 6000] }
    await refuses(readings.aggregate([{ $set: { many, text: { $reduce: { input: { $range: [0, 9] }, initialValue: 'abcdefgh', in: { $concat: ['$$value', '$$value'] } } } } }, { $unwind: '$many' }, { $sort: { value: 1 } }]).toArray(), 'limit', /^`\$sort`: it keeps more than/)
    await refuses(readings.aggregate([{ $group: { _id: null, all: { $push: { many } } } }]).toArray(), 'limit', /^`\$group`: it keeps more than/)
    await refuses(readings.aggregate([{ $set: { a: { $range: [0, 1e9] } } }]).toArray(), 'limit', /steps/)
    await refuses(readings.aggregate([{ $set: { a: { $reduce: { input: { $range: [0, 100] }, initialValue: 1, in: ['$$value'] } } } }]).toArray(), 'limit', /nested deeper/)
  })

  test('fields named as a prototype are data', async (t) => {
    const { readings } = await openReadings(t)
    await readings.insertOne(JSON.parse('{ "id": "p", "__proto__": { "x": 5 }, "constructor": 1 }'))
    assert.deepEqual(await readings.aggregate([{ $project: { _id: 0, id: 0, x: '$__proto__.x', c: '$constructor' } }].slice(0, 0)).columns(['constructor']), { constructor: Float64Array.of(1) })
    assert.deepEqual(await readings.aggregate([{ $replaceWith: { x: '$__proto__.x', c: '$constructor', none: '$toString' } }]).toArray(), [{ x: 5, c: 1 }])
    assert.equal({}.x, undefined)
  })
})
