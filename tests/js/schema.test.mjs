// Schemas on writes, through the published package: JSON Schema in the engine, Standard Schema objects of real libraries.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import { memory, open } from 'hyphadb'
import * as v from 'valibot'
import { z } from 'zod'
import { freshName, refuses } from './support/check.mjs'

const READING = {
  type: 'object',
  properties: {
    id: { type: 'string' }, site: { enum: ['north', 'south'] }, value: { type: ['number', 'null'], minimum: 0 },
    ts: { 'x-type': 'date' }, raw: { 'x-type': 'bytes' }, total: { 'x-type': 'bigint' }, tags: { type: 'array', items: { type: 'string' }, uniqueItems: true, default: [] },
  },
  required: ['id', 'site', 'tags'],
  additionalProperties: false,
}

async function opened(context, collection) {
  const db = await open({ name: freshName(), storage: memory(), collections: { readings: { key: 'id', ...collection } } })
  context.after(() => db.close())
  return { db, readings: db.collection('readings') }
}

/** Every way to write, each as one that would make `bad` of the document `a`, or insert it. */
const writes = (bad) => ({
  insertOne: (c) => c.insertOne({ ...bad, id: 'new' }),
  'insertOne in a turn': (c) => Promise.all([c.insertOne({ ...bad, id: 'new' }), c.insertOne({ ...bad, id: 'other' })]),
  insertMany: (c) => c.insertMany([{ ...bad, id: 'new' }]),
  put: (c) => c.put({ ...bad, id: 'a' }),
  bulkPut: (c) => c.bulkPut([{ ...bad, id: 'a' }, { ...bad, id: 'b' }]),
  replaceOne: (c) => c.replaceOne({ id: 'a' }, { ...bad, id: 'a' }),
  'replaceOne, upsert': (c) => c.replaceOne({ id: 'new' }, { ...bad, id: 'new' }, { upsert: true }),
  updateOne: (c) => c.updateOne({ id: 'a' }, { $set: bad }),
  updateMany: (c) => c.updateMany({}, { $set: bad }),
  'updateOne, upsert': (c) => c.updateOne({ id: 'new' }, { $set: bad }, { upsert: true }),
  findOneAndUpdate: (c) => c.findOneAndUpdate({ id: 'a' }, { $set: bad }),
  'bulkWrite of inserts': (c) => c.bulkWrite([{ insertOne: { document: { ...bad, id: 'new' } } }]),
  'bulkWrite of updates': (c) => c.bulkWrite([{ deleteOne: { filter: { id: 'b' } } }, { updateOne: { filter: { id: 'a' }, update: { $set: bad } } }]),
  'bulkWrite of replacements': (c) => c.bulkWrite([{ replaceOne: { filter: { id: 'a' }, replacement: { ...bad, id: 'a' } } }]),
})

/** That no write lets a bad document through, in a transaction or outside. */
async function checkWrites(db, c, bad) {
  const before = await c.find().toArray()
  for (const [name, write] of Object.entries(writes(bad))) {
    const error = await refuses(write(c), 'invalid')
    assert.ok(error.details.violations.length > 0, `${name}: ${error.message}`)
    assert.equal(error.details.collection, 'readings', name)
    assert.deepEqual(await c.find().toArray(), before, name)
    await refuses(db.transaction((tx) => write(tx.collection('readings'))), 'invalid')
    assert.deepEqual(await c.find().toArray(), before, `${name} in a transaction`)
  }
}

describe('a JSON Schema', () => {
  test('is held on every write', async (t) => {
    const { db, readings } = await opened(t, { schema: READING })
    await readings.insertMany([{ id: 'a', site: 'north', value: 1 }, { id: 'b', site: 'south', value: null }])
    await checkWrites(db, readings, { site: 'west', value: -1 })
  })

  test('tells all violations, and which document has them', async (t) => {
    const { readings } = await opened(t, { schema: READING })
    const error = await refuses(readings.insertMany([{ id: 'a', site: 'north' }, { id: 'b', value: '1', more: 1 }]), 'invalid', /^document 1: collection `readings`, document `"b"`: .* and 2 more violations$/u)
    assert.equal(error.details.position, '1')
    assert.equal(error.details.key, 'b')
    assert.deepEqual(error.details.violations.map(({ pointer, keyword, schemaPointer }) => [pointer, keyword, schemaPointer]), [
      ['', 'required', '/required'], ['/value', 'type', '/properties/value/type'], ['/more', 'additionalProperties', '/additionalProperties'],
    ].sort((a, b) => error.details.violations.findIndex((v) => v.keyword === a[1]) - error.details.violations.findIndex((v) => v.keyword === b[1])))
    const { insertedIds, writeErrors } = await readings.insertMany([{ id: 'a', site: 'x' }, { id: 'b', site: 'north' }], { ordered: false })
    assert.deepEqual(insertedIds, [null, 'b'])
    assert.deepEqual([writeErrors[0].index, writeErrors[0].details.violations[0].pointer], [0, '/site'])
  })

  test('takes values that JSON has not by `x-type`, fills defaults, and coerces nothing', async (t) => {
    const { readings } = await opened(t, { schema: READING })
    const doc = { id: 'a', site: 'north', ts: new Date(5), raw: Uint8Array.of(1), total: 5n }
    await readings.insertOne(doc)
    assert.deepEqual(await readings.get('a'), { ...doc, tags: [] })
    assert.deepEqual(await readings.findOneAndUpdate({ id: 'a' }, { $unset: { tags: 1, raw: 1, total: 1, ts: 1 } }, { returnDocument: 'after' }), { id: 'a', site: 'north', tags: [] })
    for (const wrong of [{ ts: 5 }, { raw: 'x' }, { total: 5 }, { value: '5' }, { value: 5n, total: '5' }]) await refuses(readings.put({ ...doc, ...wrong }), 'invalid')
  })

  test('that cannot be held refuses to open, with the place', async () => {
    const error = await refuses(open({ name: freshName(), storage: memory(), collections: { r: { schema: { properties: { n: { minimun: 1 } } } } } }), 'unsupported', /schema at `\/properties\/n`/u)
    assert.equal(error.details.pointer, '/properties/n')
    await refuses(open({ name: freshName(), storage: memory(), collections: { r: { schema: 5 } } }), 'invalid')
    await refuses(open({ name: freshName(), storage: memory(), collections: { r: { schema: {}, validation: 'called' } } }), 'invalid')
  })
})

const libraries = {
  zod: z.object({ id: z.string(), site: z.enum(['north', 'south']), value: z.number().min(0).nullish(), unit: z.string().default('C') }),
  valibot: toStandardJsonSchema(v.object({ id: v.string(), site: v.picklist(['north', 'south']), value: v.nullish(v.pipe(v.number(), v.minValue(0))), unit: v.optional(v.string(), 'C') })),
  arktype: type({ id: 'string', site: "'north'|'south'", 'value?': 'number>=0|null', 'unit?': 'string' }),
  'zod, called': z.object({ id: z.string(), site: z.enum(['north', 'south']), value: z.number().min(0).refine((value) => value !== 13).nullish(), unit: z.string().default('C') }),
  'valibot, called': v.object({ id: v.string(), site: v.picklist(['north', 'south']), value: v.nullish(v.pipe(v.number(), v.minValue(0))), unit: v.optional(v.string(), 'C') }),
  'valibot, asynchronous': v.objectAsync({ id: v.string(), site: v.pipeAsync(v.string(), v.checkAsync(async (site) => site !== 'west')), value: v.nullish(v.pipe(v.number(), v.minValue(0))), unit: v.optional(v.string(), 'C') }),
  'arktype, called': type({ id: 'string', site: "'north'|'south'", 'value?': 'number>=0|null', unit: "string = 'C'" }),
}

describe('a Standard Schema', () => {
  for (const [name, schema] of Object.entries(libraries)) {
    test(`of ${name} is held on every write`, async (t) => {
      const { db, readings } = await opened(t, { schema })
      await readings.insertMany([{ id: 'a', site: 'north', value: 1 }, { id: 'b', site: 'south', value: null }])
      await readings.insertOne({ id: 'c', site: 'north' })
      await checkWrites(db, readings, { site: 'west', value: -1 })
      if (name !== 'arktype') assert.equal((await readings.get('a')).unit, 'C')
      assert.deepEqual(await readings.updateMany({ site: 'north' }, { $set: { value: 5 } }).then(({ matchedCount, modifiedCount, durability }) => [matchedCount, modifiedCount, durability]), [2, 2, 'relaxed'])
      assert.equal((await readings.findOneAndUpdate({ id: 'a' }, { $set: { value: 6 } }, { returnDocument: 'after' })).value, 6)
      const { insertedIds, writeErrors } = await readings.insertMany([{ id: 'a', site: 'north' }, { id: 'y', site: 'west' }, { id: 'z', site: 'south' }], { ordered: false })
      assert.deepEqual([insertedIds, writeErrors.map(({ index, code }) => [index, code])], [[null, null, 'z'], [[0, 'already_exists'], [1, 'invalid']]])
      assert.equal(await readings.countDocuments(), 4)
    })
  }

  test('is compiled only where nothing of it is lost', async (t) => {
    const isCompiled = async (schema) => open({ name: freshName(), storage: memory(), collections: { r: { schema, validation: 'compiled' } } }).then(async (db) => (await db.close(), true), (error) => (assert.equal(error.code, 'unsupported', error.message), false))
    const compiled = [
      libraries.zod, libraries.valibot, libraries.arktype, z.strictObject({ id: z.uuid(), e: z.email(), d: z.iso.datetime() }), z.object({ id: z.string(), get kids() { return z.array(z.object({ a: z.int() })) } }),
      z.record(z.string(), z.union([z.string(), z.number()])), z.object({ a: z.lazy(() => z.string()) }), type({ a: 'string[]', e: 'string.email', r: /^a/, n: 'number.integer' }),
    ]
    const called = [
      libraries['zod, called'], libraries['valibot, called'], libraries['arktype, called'], z.object({ a: z.date() }), z.object({ a: z.string().trim() }), z.object({ a: z.string().transform(Number) }),
      z.object({ a: z.string() }).refine(() => true), z.object({ a: z.lazy(() => z.array(z.number().refine(() => true))) }), type({ a: 'Date' }), type({ a: 'string.trim' }), type({ a: 'bigint[]' }), type({ a: 'string.numeric' }), z.object({ a: z.string().regex(/^(?!x)/u) }), type({ a: type('number').narrow(() => true) }),
      toStandardJsonSchema(v.object({ a: v.pipe(v.string(), v.transform(Number)) })),
    ]
    assert.deepEqual(await Promise.all(compiled.map(isCompiled)), compiled.map(() => true))
    assert.deepEqual(await Promise.all(called.map(isCompiled)), called.map(() => false))
  })

  test('that changes documents has what it gives out stored', async (t) => {
    const { readings } = await opened(t, { schema: z.object({ id: z.string(), name: z.string().trim(), at: z.date() }) })
    const at = new Date(5)
    await readings.insertOne({ id: 'a', name: ' x ', at, more: 1 })
    assert.deepEqual(await readings.get('a'), { id: 'a', name: 'x', at })
    assert.equal((await readings.findOneAndUpdate({ id: 'a' }, { $set: { name: ' y' } }, { returnDocument: 'after' })).name, 'y')
    await readings.bulkWrite([{ updateOne: { filter: { id: 'a' }, update: { $set: { name: 'z ' } } } }, { insertOne: { document: { id: 'b', name: ' b', at } } }])
    await readings.replaceOne({ id: 'b' }, { name: ' c', at })
    assert.deepEqual((await readings.find().toArray()).map(({ name }) => name), ['z', 'c'])
  })

  test('that throws, or gives out what is no document, leaves no effect', async (t) => {
    const standard = (validate) => ({ '~standard': { version: 1, vendor: 'test', validate } })
    const { readings } = await opened(t, { schema: standard(() => { throw new Error('x') }) })
    assert.equal((await refuses(readings.insertOne({ id: 1 }), 'invalid')).cause.message, 'x')
    const other = await opened(t, { schema: standard(() => ({ value: 5 })) })
    await refuses(other.readings.insertOne({ id: 1 }), 'invalid')
    assert.equal(await other.readings.countDocuments(), 0)
  })

  test('spoils a transaction of which a part was refused, even where that is caught', async (t) => {
    const { db, readings } = await opened(t, { schema: libraries['valibot, called'] })
    await readings.insertOne({ id: 'a', site: 'north' })
    await refuses(db.transaction(async (tx) => {
      await tx.collection('readings').updateOne({ id: 'a' }, { $set: { site: 'west' } }).catch(() => undefined)
    }), 'invalid')
    assert.equal((await readings.get('a')).site, 'north')
    await db.transaction(async (tx) => {
      const c = tx.collection('readings')
      await Promise.all([1, 2, 3].map((value) => c.updateOne({ id: 'a' }, { $set: { value } })))
    })
    assert.equal((await readings.get('a')).value, 3)
  })

  test('is the same database only with the same schema', async (t) => {
    const name = freshName()
    const config = { name, storage: memory(), collections: { readings: { schema: libraries['zod, called'] } } }
    const db = await open(config)
    t.after(() => db.close())
    await (await open(config)).close()
    await refuses(open({ ...config, collections: { readings: { schema: libraries['valibot, called'] } } }), 'invalid')
  })
})
