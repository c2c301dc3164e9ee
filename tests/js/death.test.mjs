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
