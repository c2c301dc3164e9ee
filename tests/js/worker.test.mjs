// Worker mode: the tests of the facade again, with the engine in a thread; and workers that misbehave.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { memory, open } from 'hyphadb'
import { freshName, refuses } from './support/check.mjs'
import { makeWorker } from './support/node_worker.mjs'

const file = (name) => fileURLToPath(new URL(name, import.meta.url))
const config = (worker, more) => ({ name: freshName(), storage: memory(), collections: { a: { key: 'id' } }, thread: { worker }, ...more })

test('whatever is true of the package is true of it with the engine in a worker', { timeout: 300_000 }, async () => {
  const suites = ['documents', 'query', 'schema', 'transaction', 'lifecycle', 'patience', 'live'].map((name) => file(`${name}.test.mjs`))
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
  await promisify(execFile)(process.execPath, ['--import', file('support/register_in_worker.mjs'), '--test', ...suites], { env, timeout: 180_000, maxBuffer: 1 << 26 })
    .catch((error) => assert.fail(error.stdout.split('\n').filter((line) => /not ok|error:|expected|actual/.test(line)).join('\n')))
})

describe('what crosses', () => {
  /** Counts the messages between a page and its worker. */
  function watched() {
    const log = { sent: [], received: [] }
    const make = () => {
      const worker = makeWorker()
      return {
        ...worker,
        postMessage: (message, transfer) => { log.sent.push({ message, bytes: message[3]?.byteLength, transfer }); worker.postMessage(message, transfer) },
        addEventListener: (type, listener) => worker.addEventListener(type, (event) => { if (type === 'message') log.received.push(event.data); listener(event) }),
      }
    }
    return { log, make }
  }

  test('a get is one message each way, and its bytes are handed over', async () => {
    const { log, make } = watched()
    const db = await open(config(make))
    await db.collection('a').put({ id: 1, text: 'x' })
    await sleep(5)
    log.sent.length = log.received.length = 0
    assert.deepEqual(await db.collection('a').get(1), { id: 1, text: 'x' })
    assert.equal(log.sent.length, 1)
    assert.equal(log.received.length, 1)
    const [{ message, bytes, transfer }] = log.sent
    assert.ok(bytes > 0)
    assert.equal(transfer.length, 1)
    assert.equal(message[3].byteLength, 0, 'handed over, not copied')
    await db.close()
  })

  test('calls that nobody awaits take effect in the order in which they were made', async () => {
    const db = await open(config(makeWorker))
    const a = db.collection('a')
    const done = [a.put({ id: 1, n: 0 })]
    for (let n = 1; n <= 20; n++) done.push(a.updateOne({ id: 1 }, { $set: { n } }))
    done.push(a.get(1))
    await Promise.all(done)
    assert.deepEqual(await a.get(1), { id: 1, n: 20 })
    await db.close()
  })
})

describe('a worker that fails', () => {
  test('that cannot be made', async () => {
    const error = await refuses(open(config(() => { throw new Error('Content Security Policy') })), 'unavailable', /did not start: `Content/)
    assert.match(error.hint, /worker-src/)
  })

  test('whose script cannot be loaded', async () => {
    let ended = 0
    const broken = { postMessage() {}, addEventListener: (type, listener) => { if (type === 'error') queueMicrotask(() => listener({})) }, terminate: () => ended++ }
    await refuses(open(config(() => broken)), 'unavailable', /cannot be loaded/)
    assert.ok(ended > 0, 'nothing of it is left')
  })

  test('that never answers', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const silent = { postMessage() {}, addEventListener() {}, terminate() {} }
    const opening = refuses(open(config(() => silent)), 'unavailable', /does not answer/)
    for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve))
    t.mock.timers.tick(30_000)
    await opening
  })

  test('whose engine dies: calls fail with closed, and the next opening begins anew', async () => {
    let tell
    const make = () => {
      const worker = makeWorker()
      return { ...worker, addEventListener: (type, listener) => { if (type === 'message') tell = (data) => listener({ data }); worker.addEventListener(type, listener) } }
    }
    const given = config(make)
    const db = await open(given)
    await db.collection('a').put({ id: 1 })
    const waiting = refuses(db.collection('a').get(1), 'closed', /stopped because of a bug/)
    tell([0, 'died', 'panicked at x.rs: index out of bounds'])
    await waiting
    const error = await refuses(db.collection('a').get(1), 'closed')
    assert.match(error.cause.message, /index out of bounds/)
    const again = await open(given)
    await again.collection('a').put({ id: 2 })
    assert.deepEqual(await again.collection('a').get(2), { id: 2 })
    await again.close()
    await db.close()
  })
})

test('where there are no workers, asking for one is refused', async () => {
  const error = await refuses(open({ name: freshName(), storage: memory(), thread: 'worker' }), 'unsupported', /no workers/)
  assert.match(error.hint, /leave `thread` out/)
  for (const thread of ['main', 5, { wroker: 'x' }, { worker: 5 }]) await refuses(open({ name: freshName(), storage: memory(), thread }), 'invalid')
})

test('a name is open here or in a worker, not both', async () => {
  const given = config(makeWorker)
  const db = await open(given)
  await refuses(open({ ...given, thread: 'inline' }), 'invalid', /another configuration/)
  await db.close()
})
