// Answers of many documents: whatever they hold, each comes back as it was stored, in its place.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memory, open } from '../../pkg/entry/node.js'

async function stored(t, documents) {
  const db = await open({ name: 'table', storage: memory(), collections: { docs: { key: 'id' } } })
  t.after(() => db.close())
  await db.collection('docs').insertMany(documents)
  return db.collection('docs')
}

/** Documents with rising keys. */
const numbered = (count, fields) => Array.from({ length: count }, (_, n) => ({ id: `k${String(n).padStart(6, '0')}`, ...fields(n) }))

async function comesBack(t, documents) {
  const docs = await stored(t, documents)
  const found = await docs.find().toArray()
  assert.deepStrictEqual(found, documents)
  for (const document of found) assert.equal(Object.getPrototypeOf(document), Object.prototype)
  assert.deepStrictEqual(found.map(document => Object.keys(document)), documents.map(document => Object.keys(document)))
  const keys = documents.map(document => document.id).reverse()
  assert.deepStrictEqual(await docs.bulkGet([...keys, 'none']), [...documents].reverse().concat(undefined))
  const parts = []
  for await (const document of docs.find()) parts.push(document)
  assert.deepStrictEqual(parts, documents)
}

describe('documents in a table', () => {
  test('of every type', t => comesBack(t, numbered(40, n => ({
    flag: n % 2 === 0, zero: -0, number: n / 3, huge: 1e300 * n, big: BigInt(n) - 2n ** 62n, at: new Date(n * 1e9), none: null, bytes: new Uint8Array(n).fill(n),
    text: `t${n}`, word: `w${n % 3}`, empty: '', list: [n, 'x', [n]], numbers: [n, -0, 1.5], texts: ['a', `b${n}`], nothing: [], inner: { n, deep: { at: new Date(n) } }, hollow: {},
  }))))

  test('with fields of several types', t => comesBack(t, numbered(200, n => ({ any: [n, `${n}`, null, -0, [n], { n }, true, 5n, new Date(n), new Uint8Array([n])][n % 10], maybe: n % 7 === 0 ? null : n }))))

  test('of several shapes, in their order', t => comesBack(t, numbered(500, n => [{ a: n }, { b: n, a: 1 }, { a: 1, b: n }, {}, { c: { a: n } }, { c: { b: n } }][n * 7 % 6])))

  test('of more shapes than a byte can name', t => comesBack(t, numbered(900, n => ({ [`f${n % 300}`]: n, same: 1 }))))

  test('with every number of fields', t => comesBack(t, numbered(120, n => Object.fromEntries(Array.from({ length: n % 40 }, (_, field) => [`f${field}`, n + field])))))

  test('with names that mean something to JavaScript', t => comesBack(t, numbered(10, n => JSON.parse(`{"__proto__": {"x": ${n}}, "constructor": 1, "5": "five", "1": "one", "toString": null, "é": 2, "": 3}`))))

  test('with text beyond ASCII', t => comesBack(t, numbered(300, n => ({ text: ['é', '😀', '\ufeff', '\u0000', 'x'.repeat(300)][n % 5] + n, word: ['ä', '😀😀', ''][n % 3] }))))

  test('with more text than a chunk holds', t => comesBack(t, numbered(400, n => ({ text: `${n}é`.repeat(2000), n }))))
})

test('columns of a table are typed where all are numbers, and own their buffers', async t => {
  const docs = await stored(t, numbered(100, n => ({ n, half: n / 2, mixed: n % 2 === 0 ? n : 'odd', at: new Date(n) })))
  const { n, half, mixed, at, gone } = await docs.find().columns(['n', 'half', 'mixed', 'at', 'gone'])
  assert.ok(n instanceof Float64Array && half instanceof Float64Array)
  assert.equal(n.buffer.byteLength, 800)
  assert.deepStrictEqual(Array.from(half), Array.from({ length: 100 }, (_, place) => place / 2))
  assert.deepStrictEqual(mixed, Array.from({ length: 100 }, (_, place) => (place % 2 === 0 ? place : 'odd')))
  assert.deepStrictEqual(at[99], new Date(99))
  assert.deepStrictEqual(gone, Array(100).fill(null))
})

test('columns of a long answer own their buffers too, and null stands where there is nothing', async t => {
  const words = ['a', 'b', 'c', null]
  const docs = await stored(t, numbered(20_000, n => ({ n, half: n / 2, word: words[n % 4], flag: n % 5 === 0 ? null : n % 2 === 0, at: n % 7 === 0 ? null : new Date(n), ...(n % 3 === 0 && { some: n }) })))
  const all = Array.from({ length: 20_000 }, (_, n) => n)
  const { n, half, word, flag, at, some } = await docs.find().columns(['n', 'half', 'word', 'flag', 'at', 'some'])
  for (const column of [n, half]) assert.equal(column.buffer.byteLength, 160_000)
  assert.deepStrictEqual([Array.from(n), Array.from(half)], [all, all.map(n => n / 2)])
  assert.deepStrictEqual(word, all.map(n => words[n % 4]))
  assert.deepStrictEqual(flag, all.map(n => (n % 5 === 0 ? null : n % 2 === 0)))
  assert.deepStrictEqual(at, all.map(n => (n % 7 === 0 ? null : new Date(n))))
  assert.deepStrictEqual(some, all.map(n => (n % 3 === 0 ? n : null)))
  const numbers = await docs.find({ half: { $gte: 100 } }).columns(['n'])
  await docs.deleteMany({})
  assert.deepStrictEqual(Array.from(numbers.n), all.slice(200))
})

test('what is found in parts, sorted and cut, is what is found whole', async t => {
  const docs = await stored(t, numbered(3000, n => ({ group: n % 7, rank: n * 7919 % 3000, tags: [n % 5, n % 3] })))
  const all = await docs.find().toArray()
  const byRank = [...all].sort((a, b) => b.rank - a.rank)
  assert.deepStrictEqual(await docs.find().sort({ rank: -1 }).toArray(), byRank)
  for (const [skip, limit] of [[0, 1], [0, 50], [10, 5], [2990, 50], [3000, 1], [0, 2999], [1500, 1200]]) {
    assert.deepStrictEqual(await docs.find().sort({ rank: -1 }).skip(skip).limit(limit).toArray(), byRank.slice(skip, skip + limit), `${skip}, ${limit}`)
    assert.deepStrictEqual(await docs.find().skip(skip).limit(limit).toArray(), all.slice(skip, skip + limit), `${skip}, ${limit} unsorted`)
    assert.equal(await docs.find({ group: { $lt: 9 } }).skip(skip).limit(limit).count(), Math.max(0, Math.min(limit, 3000 - skip)))
  }
  for (const index of ['group', ['group', 'rank'], 'tags']) {
    await docs.createIndex(index)
    const some = byRank.filter(({ group }) => group === 3 || group === 5)
    const found = docs.find({ group: { $in: [3, 5] } }).sort({ rank: -1 })
    assert.deepStrictEqual(await found.limit(20).toArray(), some.slice(0, 20), `${index}`)
    assert.deepStrictEqual(await found.skip(7).keys(), some.slice(7).map(({ id }) => id), `${index}`)
    assert.deepStrictEqual(await docs.find({ tags: { $gte: 2 } }).sort({ rank: -1 }).limit(99).toArray(), byRank.filter(({ tags }) => tags.some(tag => tag >= 2)).slice(0, 99))
    assert.equal(await docs.find({ tags: { $gte: 0 } }).count(), 3000)
  }
})
