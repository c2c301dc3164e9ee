// An engine that dies: what its databases answer then, and how the next one begins.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memory, open } from 'hyphadb'
import { loadInstance } from '../../pkg/load.js'
import { freshName, refuses } from './support/check.mjs'

test('after the instance has died, calls fail with closed and the next open works', async () => {
  const name = freshName()
  const config = () => ({ name, storage: memory(), collections: { a: {} } })
  const [db, other] = [await open(config()), await open({ ...config(), name: freshName() })]
  const instance = await loadInstance(() => assert.fail('is loaded already'))
  instance.die(new WebAssembly.RuntimeError('unreachable'))
  const error = await refuses(db.collection('a').get(1), 'closed', /stopped/)
  assert.ok(error.cause instanceof WebAssembly.RuntimeError)
  await refuses(other.collection('a').insertOne({ id: 1 }), 'closed')
  const again = await open(config())
  await again.collection('a').insertOne({ id: 1 })
  assert.deepEqual(await again.collection('a').get(1), { id: 1 })
  await refuses(db.collection('a').get(1), 'closed')
  await Promise.all([db.close(), other.close(), again.close()])
})

test('a trap inside the wasm ends it: the next one begins with fresh memory', async () => {
  const config = () => ({ name: freshName(), storage: memory(), collections: { a: { key: 'id' } } })
  const db = await open(config())
  await db.collection('a').insertOne({ id: 1 })
  const { glue } = await loadInstance(() => assert.fail('is loaded already'))
  const { request } = glue.Engine.prototype
  // No such length can be had: the allocation in front of the call aborts.
  glue.Engine.prototype.request = function () { return request.call(this, { length: 0xfffffff0 }) }
  const error = await refuses(db.collection('a').get(1), 'closed', /stopped because of a bug/)
  glue.Engine.prototype.request = request
  assert.ok(error.cause instanceof WebAssembly.RuntimeError)
  await refuses(db.collection('a').insertOne({ id: 2 }), 'closed')
  const again = await open(config())
  await again.collection('a').insertMany(Array.from({ length: 1000 }, (_, id) => ({ id })))
  assert.equal(await again.collection('a').countDocuments(), 1000)
  await Promise.all([db.close(), again.close()])
})
