// The whole package against the simplest thing that could be right: a Map and a loop over all of it.
// Random writes and queries; SEED replays a run.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HyphaError, memory, open } from 'hyphadb'
import { freshName } from './support/check.mjs'
import { generator, seed } from './support/random.mjs'

const ROUNDS = 4000
const KEYS = 120
const SITES = ['east', 'north', 'south', 'west']

/** Values at a path that a condition looks at: an array, and each of its elements; null where there is none. */
const seen = (doc, field) => (doc[field] === undefined ? [null] : Array.isArray(doc[field]) ? [doc[field], ...doc[field]] : [doc[field]])
const rank = value => (value === null || value === undefined ? 0 : typeof value === 'number' ? 1 : 2)
const compare = (a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0)
const OPERATORS = {
  $eq: (a, b) => compare(a, b) === 0, $gt: (a, b) => rank(a) === rank(b) && compare(a, b) > 0, $gte: (a, b) => rank(a) === rank(b) && compare(a, b) >= 0,
  $lt: (a, b) => rank(a) === rank(b) && compare(a, b) < 0, $lte: (a, b) => rank(a) === rank(b) && compare(a, b) <= 0,
}
const holds = (doc, field, condition) => Object.entries(condition).every(([operator, operand]) => {
  if (operator === '$in') return seen(doc, field).some(value => operand.some(one => compare(value, one) === 0))
  if (operator === '$ne') return !seen(doc, field).some(value => compare(value, operand) === 0)
  return seen(doc, field).some(value => !Array.isArray(value) && OPERATORS[operator](value, operand))
})
const matches = (doc, filter) => Object.entries(filter).every(([field, condition]) => holds(doc, field, condition))

class Run {
  constructor(random, collection) {
    this.random = random
    this.collection = collection
    this.model = new Map()
  }

  whole(below) { return Math.floor(this.random() * below) }
  pick(list) { return list[this.whole(list.length)] }
  id() { return `k${String(this.whole(KEYS)).padStart(3, '0')}` }

  doc(id = this.id()) {
    const doc = { id }
    if (this.random() < 0.9) doc.n = this.whole(20)
    if (this.random() < 0.9) doc.site = this.pick(SITES)
    if (this.random() < 0.5) doc.tags = Array.from({ length: this.whole(3) }, () => `t${this.whole(4)}`)
    if (this.random() < 0.2) doc.n = null
    return doc
  }

  filter() {
    const filter = {}
    const number = () => ({ [this.pick(['$eq', '$gt', '$gte', '$lt', '$lte', '$ne'])]: this.whole(20) })
    if (this.random() < 0.5) filter.n = this.random() < 0.3 ? { $gte: this.whole(10), $lt: 10 + this.whole(10) } : number()
    if (this.random() < 0.4) filter.site = this.random() < 0.5 ? { $eq: this.pick(SITES) } : { $in: [this.pick(SITES), this.pick(SITES), null] }
    if (this.random() < 0.2) filter.tags = { $eq: `t${this.whole(4)}` }
    if (this.random() < 0.2) filter.id = this.random() < 0.5 ? { $eq: this.id() } : { $gte: this.id() }
    if (this.random() < 0.1) filter.n = { $eq: null }
    return filter
  }

  matching(filter) { return [...this.model.values()].filter(doc => matches(doc, filter)).sort((a, b) => compare(a.id, b.id)) }

  async write() {
    const [kind, filter] = [this.whole(8), this.filter()]
    const docs = Array.from({ length: 1 + this.whole(4) }, () => this.doc())
    switch (kind) {
      case 0: {
        const isTaken = docs.some(({ id }, n) => this.model.has(id) || docs.findIndex(doc => doc.id === id) !== n)
        const error = await this.collection.insertMany(docs).then(() => undefined, thrown => thrown)
        assert.equal(error instanceof HyphaError ? error.code : undefined, isTaken ? 'already_exists' : undefined)
        if (!isTaken) for (const doc of docs) this.model.set(doc.id, doc)
        break
      }
      case 1: case 2:
        await this.collection.bulkPut(docs)
        for (const doc of docs) this.model.set(doc.id, doc)
        break
      case 3: {
        const found = this.matching(filter)
        const { matchedCount } = await this.collection.updateMany(filter, { $set: { site: 'moved' }, $unset: { tags: true } })
        assert.equal(matchedCount, found.length)
        for (const { tags: _, ...doc } of found) this.model.set(doc.id, { ...doc, site: 'moved' })
        break
      }
      case 4: {
        const id = this.id()
        const known = this.model.get(id)
        if (known?.n === null) break
        await this.collection.updateOne({ id }, { $inc: { n: 1 } }, { upsert: true })
        this.model.set(id, { ...(known ?? { id }), n: (known?.n ?? 0) + 1 })
        break
      }
      case 5: {
        const ids = [this.id(), this.id()]
        const there = new Set(ids.filter(id => this.model.has(id)))
        assert.equal((await this.collection.bulkDelete(ids)).deletedCount, there.size)
        for (const id of ids) this.model.delete(id)
        break
      }
      case 6: {
        const found = this.matching({ ...filter, n: { $eq: this.whole(20) } })
        const { deletedCount } = await this.collection.deleteMany({ id: { $in: found.map(({ id }) => id) } })
        assert.equal(deletedCount, found.length)
        for (const { id } of found) this.model.delete(id)
        break
      }
      default: {
        const doc = this.doc()
        const isThere = this.model.has(doc.id)
        const { matchedCount } = await this.collection.replaceOne({ id: doc.id }, doc)
        assert.equal(matchedCount, isThere ? 1 : 0)
        if (isThere) this.model.set(doc.id, doc)
      }
    }
  }

  async read() {
    const filter = this.filter()
    const field = this.pick(['n', 'site', 'id'])
    const direction = this.pick([1, -1])
    const [skip, limit] = [this.whole(4), 1 + this.whole(30)]
    const expected = this.matching(filter)
    const sorted = [...expected].sort((a, b) => direction * compare(a[field], b[field]) || compare(a.id, b.id))
    const cursor = this.collection.find(filter)
    assert.deepStrictEqual(await cursor.sort([[field, direction], ...(field === 'id' ? [] : [['id', 1]])]).skip(skip).limit(limit).toArray(), sorted.slice(skip, skip + limit), JSON.stringify({ filter, field, direction }))
    assert.equal(await cursor.count(), expected.length)
    assert.deepEqual((await cursor.keys()).sort(), expected.map(({ id }) => id))
    const id = this.id()
    assert.deepStrictEqual(await this.collection.get(id), this.model.get(id))
  }
}

test(`${ROUNDS} random writes and queries answer as a Map does`, async t => {
  const db = await open({ name: freshName(), storage: memory(), collections: { c: { key: 'id', indexes: ['n', ['site', 'n'], 'tags', { fields: ['n', 'id'], sparse: true }] } } })
  t.after(() => db.close())
  const run = new Run(generator(), db.collection('c'))
  for (let round = 0; round < ROUNDS; round++) {
    try {
      await run.write()
      if (round % 3 === 0) await run.read()
    } catch (cause) {
      throw new Error(`SEED=${seed} fails in round ${round}: ${cause.message}`, { cause })
    }
  }
  assert.deepStrictEqual(await run.collection.find().toArray(), run.matching({}))
})
