// The connection over an engine that misbehaves on purpose: traps, promises that never settle, errors.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { encode } from '../../pkg/codec.js'
import { Connection } from '../../pkg/connection.js'
import { HeadStart } from '../../pkg/head_start.js'
import { Instance } from '../../pkg/instance.js'
import { Patience } from '../../pkg/patience.js'
import { Prelude } from '../../pkg/prelude.js'
import { refuses } from './support/check.mjs'

/** A connection whose engine answers as the test wants. */
async function connect(engine, prelude) {
  const glue = { on_panic() {}, Engine: { open: async () => ({ on_commit() {}, on_connection() {}, on_live() {}, maintain: async () => false, close: async () => {}, free() {}, ...engine }) } }
  const instance = new Instance(glue)
  let ends = 0
  const config = { name: 'a', storage: 'memory', durability: 'relaxed', engine: {}, acceptLoss: false, identity: '' }
  const connection = await Connection.open(instance, config, prelude ?? new Prelude(config), () => ends++)
  return { connection, instance, ends: () => ends }
}

const trap = () => { throw new WebAssembly.RuntimeError('unreachable') }
const never = () => new Promise(() => undefined)

test('a trap ends the instance, and with it calls that would never be answered', async () => {
  let calls = 0
  const { connection, instance, ends } = await connect({ request: () => (calls++ === 0 ? never() : trap()) })
  const waiting = refuses(connection.ask({}), 'closed')
  const error = await refuses(connection.ask({}), 'closed')
  assert.ok(error.cause instanceof WebAssembly.RuntimeError)
  await waiting
  assert.equal(instance.alive, false)
  await refuses(connection.ask({}), 'closed')
  assert.equal(calls, 2)
  assert.equal(ends(), 1)
})

test('a panic that is told before its trap does the same', async () => {
  let told
  const instance = new Instance({ on_panic: (callback) => { told = callback } })
  let mourned = 0
  instance.onDeath(() => mourned++)
  told('index out of bounds')
  told('again')
  assert.equal(instance.alive, false)
  assert.equal(mourned, 1)
})

test('running out of stack inside the wasm is a trap too', async () => {
  const { connection, instance } = await connect({ request: () => { throw new RangeError('Maximum call stack size exceeded') } })
  await refuses(connection.ask({}), 'closed')
  assert.equal(instance.alive, false)
})

test('errors of the engine arrive, thrown or rejected', async () => {
  const said = { code: 'not_found', message: 'collection `x` is not there', retryable: false, hint: 'create it first', details: { collection: 'x' } }
  for (const request of [() => { throw said }, () => Promise.reject(said)]) {
    const { connection, instance } = await connect({ request })
    const error = await refuses(connection.ask({}), 'not_found')
    assert.deepEqual(error.details, { collection: 'x' })
    assert.equal(instance.alive, true)
  }
})

test('answers come at once or later', async () => {
  for (const request of [() => encode({ a: 1 }), async () => encode({ a: 1 })]) {
    const { connection } = await connect({ request })
    assert.deepEqual(await connection.ask({}), { a: 1 })
  }
})

test('an impatient write becomes a transaction, is run again after a conflict, and never commits when given up', async () => {
  const log = []
  let conflicts = 2
  const transaction = {
    request: (bytes) => { log.push('request'); return bytes.length === 0 ? never() : encode({ deletedCount: 1 }) },
    commit: async (durability) => { log.push(`commit ${durability}`); if (conflicts-- > 0) throw { code: 'conflict', message: 'x' }; return encode({ seq: 5, durability }) },
    rollback: () => log.push('rollback'),
    free: () => undefined,
  }
  const { connection } = await connect({ begin: () => transaction, request: () => assert.fail('was not to be called') })
  const patience = () => Patience.from({ timeoutMs: 10_000 })
  assert.deepEqual(await connection.write({ op: 'delete' }, 'strict', patience()), { deletedCount: 1, seq: 5, durability: 'strict' })
  assert.equal(log.filter((line) => line === 'commit strict').length, 3)
  log.length = 0
  transaction.request = never
  await refuses(connection.write({ op: 'delete' }, undefined, Patience.from({ timeoutMs: 5 })), 'cancelled')
  assert.deepEqual(log, ['rollback'])
})

test('another context deleting the database ends the connection', async () => {
  let tell
  const { connection, ends } = await connect({ on_connection: (callback) => { tell = callback }, request: () => encode({}) })
  const seen = []
  connection.on('storage', (event) => seen.push(event.type))
  tell('lost')
  tell('reopened')
  tell('something else')
  await connection.ask({})
  tell('deleted')
  assert.deepEqual(seen, ['lost', 'reopened', 'deleted'])
  await refuses(connection.ask({}), 'closed', /deleted by another context/)
  assert.equal(ends(), 1)
})

test('background work that fails is no error of anybody', async () => {
  const { connection } = await connect({ maintain: async () => { throw { code: 'unavailable', message: 'x' } }, request: () => encode({}) })
  await new Promise((resolve) => setTimeout(resolve, 300))
  await connection.ask({})
  await connection.close()
  await connection.close()
  await refuses(connection.ask({}), 'closed')
})

test('an engine that dies while it opens a database does not leave the opening open', async () => {
  let tell
  const instance = new Instance({ on_panic: (callback) => { tell = callback }, Engine: { open: never } })
  const config = { name: 'a', storage: 'memory', engine: {} }
  const opening = refuses(Connection.open(instance, config, new Prelude(config), () => assert.fail('was never open')), 'closed', /stopped/)
  await new Promise((resolve) => setTimeout(resolve, 0))
  tell('index out of bounds')
  await opening
})

describe('a head start', () => {
  /** An IndexedDB that answers the next opening as the test wants. */
  function withIndexedDb(t) {
    const request = { transaction: { abort() { request.aborted = true } }, result: { close() { request.closed = true } } }
    globalThis.indexedDB = { open: (...parameters) => { assert.deepEqual(parameters, ['a']); return request } }
    t.after(() => { delete globalThis.indexedDB })
    return request
  }

  test('makes no database', (t) => {
    const request = withIndexedDb(t)
    const start = new HeadStart('a', { reads: false })
    request.onupgradeneeded({ dataLoss: 'none' })
    assert.equal(request.aborted, true)
    start.finish()
  })

  test('lets go of the database it found, however late', (t) => {
    const request = withIndexedDb(t)
    const start = new HeadStart('a', { reads: false })
    start.finish()
    assert.equal(request.closed, undefined)
    request.onsuccess()
    assert.equal(request.closed, true)
  })

  /** A database whose log has these entries, each request answered in a turn of its own. */
  function databaseOf(entries) {
    const answer = (result) => {
      const request = { result }
      setImmediate(() => request.onsuccess())
      return request
    }
    const log = { getAllKeys: () => answer([...entries.keys()]), get: (key) => answer(entries.get(key)), getAll: ({ from, to }) => answer([...entries].filter(([key]) => key >= from && key <= to).map(([, value]) => value)) }
    return { closed: 0, close() { this.closed++ }, transaction: () => ({ objectStore: () => log }) }
  }

  for (const count of [0, 3, 600]) {
    test(`hands over a log of ${count} values with its connection`, async (t) => {
      globalThis.IDBKeyRange = { bound: (from, to) => ({ from, to }) }
      t.after(() => { delete globalThis.IDBKeyRange })
      const request = withIndexedDb(t)
      const start = new HeadStart('a', { reads: true })
      const entries = new Map(Array.from({ length: count }, (_, number) => [number, `value ${number}`]))
      request.result = databaseOf(entries)
      request.onsuccess()
      const [database, keys, values] = await start.take()
      assert.equal(database, request.result)
      assert.deepEqual([keys, values], [[...entries.keys()], [...entries.values()]])
      start.finish()
      assert.equal(database.closed, 0)
      start.end()
      assert.equal(database.closed, 1)
    })
  }

  test('hands over nothing where another context wants the database gone', async (t) => {
    const request = withIndexedDb(t)
    const start = new HeadStart('a', { reads: true })
    request.result = databaseOf(new Map())
    request.onsuccess()
    request.result.onversionchange()
    assert.equal(await start.take(), undefined)
    assert.equal(request.result.closed, 1)
  })

  test('heeds what the browser says of lost data, because it says so once', async (t) => {
    const request = withIndexedDb(t)
    const start = new HeadStart('a', { reads: false })
    request.onupgradeneeded({ dataLoss: 'total', dataLossMessage: 'Corruption: bad block' })
    const error = await refuses(async () => start.finish(), 'lost', /Corruption: bad block/)
    assert.match(error.hint, /restore a backup/)
    const accepted = new Prelude({ name: 'a', storage: 'indexeddb', acceptLoss: true })
    request.onupgradeneeded({ dataLoss: 'total' })
    accepted.finish()
    accepted.end()
    let ends = 0
    const engine = { close: async () => { ends++ }, free: () => { ends++ } }
    await refuses(connect(engine, { mark: Promise.resolve(), take: async () => undefined, finish: () => start.finish(), end() {} }), 'lost')
    assert.equal(ends, 2)
  })
})
