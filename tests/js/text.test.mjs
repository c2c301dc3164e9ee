// Text search through the published package: an index, what is found and in which order, scores, and what is refused.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memory, open } from 'hyphadb'
import { freshName, refuses } from './support/check.mjs'

const MOVIES = [
  { id: 1, title: 'Crème Brûlée', plot: 'A cook in New York', year: 1999 },
  { id: 2, title: 'New York, New York', plot: ['Jazz', 'and a saxophone'], year: 1977 },
  { id: 3, title: 'York', plot: 'new in town', year: 2001 },
  { id: 4, title: '東京物語', plot: 'Tokyo Story', year: 1953 },
  { id: 5, title: 'Silence', year: 2016 },
]
const SPEC = { fields: ['title', 'plot'], type: 'text', weights: { title: 3 } }

async function openMovies(t, indexes = [SPEC]) {
  const db = await open({ name: freshName(), storage: memory(), collections: { movies: { indexes } } })
  t.after(() => db.close())
  const movies = db.collection('movies')
  await movies.insertMany(MOVIES)
  const found = async ($search, more = {}) => (await movies.find({ $text: { $search, ...more } }).toArray()).map(({ id }) => id)
  return { db, movies, found }
}

describe('a text search', () => {
  test('finds words, phrases, beginnings and typos, the best first', async (t) => {
    const { found } = await openMovies(t)
    assert.deepEqual(await found('york'), [3, 2, 1])
    assert.deepEqual(await found('"new york" -cook'), [2])
    assert.deepEqual(await found('\u201cNew York\u201d'), [2, 1])
    assert.deepEqual(await found('CREME saxo*'), [1, 2])
    assert.deepEqual(await found('silense', { $fuzzy: true }), [5])
    assert.deepEqual(await found('silense'), [])
    assert.deepEqual(await found('new town', { $all: true }), [3])
    assert.deepEqual(await found('東京'), [4])
    assert.deepEqual(await found('京東'), [])
  })

  test('has scores for sorts and projections, in finds, cursors and pipelines', async (t) => {
    const { movies } = await openMovies(t)
    const score = { $meta: 'textScore' }
    const query = movies.find({ $text: { $search: 'new york' } })
    const scored = await query.project({ title: 1, score }).toArray()
    assert.deepEqual(scored.map(({ id }) => id), [2, 3, 1])
    assert.ok(scored.every((doc, place) => doc.score > 0 && (place === 0 || doc.score < scored[place - 1].score)))
    assert.deepEqual(Object.keys(scored[0]), ['id', 'title', 'score'])
    assert.deepEqual(await query.sort({ score }).project({ title: 1, score }).toArray(), scored)
    assert.deepEqual((await query.sort({ year: 1, score }).keys()), [2, 1, 3])
    assert.deepEqual(Object.keys(await query.project({ score }).first()), ['id', 'title', 'plot', 'year', 'score'])
    const seen = []
    for await (const doc of query.project({ title: 1, score })) seen.push(doc)
    assert.deepEqual(seen, scored)
    const stages = [{ $match: { $text: { $search: 'new york' } } }, { $sort: { score } }, { $project: { title: 1, score } }]
    assert.deepEqual(await movies.aggregate(stages).toArray(), scored)
    assert.equal((await query.explain()).plan, 'text')
    assert.equal(await query.count(), 3)
    assert.deepEqual(await movies.findOne({ $text: { $search: 'york' } }, { project: { score } }), { ...MOVIES[2], score: (await movies.find({ $text: { $search: 'york' } }).project({ score }).first()).score })
  })

  test('follows what is written, in transactions too', async (t) => {
    const { db, movies, found } = await openMovies(t)
    await movies.updateMany({ $text: { $search: 'york' } }, { $set: { title: 'Boston' } })
    assert.deepEqual(await found('boston'), [3, 2, 1])
    await db.transaction(async (tx) => {
      await tx.collection('movies').insertOne({ id: 6, title: 'Boston Tea' })
      assert.deepEqual((await tx.collection('movies').find({ $text: { $search: 'tea' } }).toArray()).length, 1)
    })
    await movies.deleteMany({ $text: { $search: 'boston -tea' } })
    assert.deepEqual(await found('boston'), [6])
  })

  test('takes an index that is made, listed and dropped later', async (t) => {
    const { movies, found } = await openMovies(t, [])
    const error = await refuses(found('york'), 'invalid', /needs a text index/u)
    assert.match(error.hint, /createIndex/u)
    assert.equal(await movies.createIndex(SPEC), 'title_plot_text')
    assert.deepEqual(await found('york'), [3, 2, 1])
    const [index] = await movies.indexes()
    assert.deepEqual([index.type, index.weights], ['text', { title: 3, plot: 1 }])
    await refuses(movies.createIndex({ fields: 'year', type: 'text' }), 'invalid', /may have one/u)
    await movies.dropIndex('title_plot_text')
    await refuses(found('york'), 'invalid')
  })
})

test('what cannot be searched is refused', async (t) => {
  const { movies, found } = await openMovies(t)
  const score = { $meta: 'textScore' }
  await refuses(found(''), 'invalid', /no word to look for/u)
  await refuses(found('a', { $language: 'none' }), 'invalid', /`\$language` is not known/u)
  await refuses(found(Array.from({ length: 65 }, (_, n) => `w${n}`).join(' ')), 'limit')
  await refuses(movies.find({ $or: [{ $text: { $search: 'a' } }] }).toArray(), 'invalid', /inside of `\$or`/u)
  await refuses(movies.find({ $and: [{ $text: { $search: 'a' } }, { $text: { $search: 'b' } }] }).toArray(), 'invalid', /twice/u)
  await refuses(movies.find({}).sort({ score }).toArray(), 'invalid', /without `\$text`/u)
  await refuses(movies.find({}).project({ score }).toArray(), 'invalid', /without `\$text`/u)
  await refuses(movies.createIndex({ ...SPEC, weights: { nope: 1 } }), 'invalid', /`nope`/u)
  await refuses(movies.find({ $text: { $search: 'a' } }).live()[Symbol.asyncIterator]().next(), 'unsupported')
})
