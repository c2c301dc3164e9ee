// Migrations, through the published package: what opening with a newer version does to stored documents, and to older contexts.
//
// The storage is in memory, and gone with its last handle, so that a newer version cannot be opened over it: IndexedDB is
// stood for by the trial here, and is in the pages' tests.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memory, open } from 'hyphadb'
import * as v from 'valibot'
import { freshName, refuses } from './support/check.mjs'

const docs = [{ id: 'a', name: 'x y' }, { id: 'b', name: 'z' }, { id: 'c', name: 'q r' }]
const split = { 2: ({ name, ...doc }) => ({ ...doc, first: name.split(' ')[0], last: name.split(' ')[1] }) }
const NEWER = { type: 'object', properties: { id: { type: 'string' }, first: { type: 'string' }, last: { type: 'string' } }, required: ['id', 'first', 'last'], additionalProperties: false }

async function opened(context, collection = {}) {
  const db = await open({ name: freshName(), storage: memory(), collections: { people: { key: 'id', ...collection } } })
  context.after(() => db.close())
  await db.collection('people').insertMany(docs)
  return db.collection('people')
}

describe('a trial', () => {
  test('tells how many documents would change, and which cannot be migrated, and writes nothing', async (t) => {
    const people = await opened(t)
    assert.deepEqual(await people.tryMigration({ version: 2, migrate: split }), { documents: 3, changed: 3, failed: [] })
    assert.deepEqual(await people.tryMigration({ version: 3, migrate: { 2: (doc) => doc, 3: async (doc) => (doc.id === 'a' ? { ...doc, n: 1 } : doc) } }), { documents: 3, changed: 1, failed: [] })
    const { changed, failed } = await people.tryMigration({ version: 2, migrate: split, schema: NEWER })
    assert.equal(changed, 3)
    assert.deepEqual(failed.map(({ key, code, violations }) => [key, code, violations[0].keyword]), [['b', 'invalid', 'required']])
    assert.deepEqual(await people.find().toArray(), docs)
    assert.equal((await people.stats()).documents, 3)
  })

  test('holds documents against a schema that is called', async (t) => {
    const people = await opened(t)
    const schema = v.object({ id: v.string(), first: v.string(), last: v.string() })
    const { failed } = await people.tryMigration({ version: 2, migrate: split, schema })
    assert.deepEqual(failed.map(({ key, violations }) => [key, violations[0].pointer]), [['b', '/last']])
  })

  test('tells of functions that throw, answer nothing, lose the key, or are missing', async (t) => {
    const people = await opened(t)
    const first = async (migrate, version = 2) => (await people.tryMigration({ version, migrate })).failed[0]
    assert.match((await first({ 2: () => { throw new Error('oops') } })).message, /threw: `oops`/u)
    assert.match((await first({ 2: (doc) => { doc.x = 1 } })).message, /answered undefined, not a document/u)
    assert.match((await first({ 2: (doc) => ({ ...doc, id: `${doc.id}!` }) })).message, /changed the key/u)
    assert.match((await first({ 2: ({ id, ...doc }) => doc })).message, /changed the key/u)
    assert.match((await first({ 2: (doc) => ({ ...doc, id: 'a' }) })).message, /changed the key/u)
    assert.match((await first({ 3: (doc) => doc }, 3)).message, /no migration to version 2/u)
    assert.deepEqual(await people.find().toArray(), docs)
    const all = await people.tryMigration({ version: 2, migrate: { 2: () => { throw new Error('oops') } } })
    assert.deepEqual([all.documents, all.failed.map(({ key }) => key)], [3, ['a', 'b', 'c']])
  })

  test('refuses what is no migration', async (t) => {
    const people = await opened(t)
    for (const wrong of [{}, { version: 1 }, { version: 0 }, { version: 129 }, { version: 1.5 }, { version: 2, migrate: { 3: (doc) => doc } }, { version: 2, migrate: { 1: (doc) => doc } }, { version: 2, migrate: { 2: 5 } }, { version: 2, migrate: { two: (doc) => doc } }, { versoin: 2 }]) {
      await refuses(people.tryMigration(wrong), 'invalid')
    }
  })
})

test('a new collection is at the version that it is made with, and no function is called', async (t) => {
  const people = await opened(t, { version: 3, migrate: { 2: () => assert.fail(), 3: () => assert.fail() } })
  assert.deepEqual(await people.tryMigration({ version: 3, migrate: {} }), { documents: 0, changed: 0, failed: [] })
  await people.updateMany({}, { $set: { n: 1 } })
  assert.deepEqual(await people.tryMigration({ version: 4, migrate: { 4: (doc) => doc } }), { documents: 3, changed: 0, failed: [] })
})
