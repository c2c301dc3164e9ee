// The connection over an engine that misbehaves on purpose: traps, promises that never settle, errors.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '../../pkg/codec.js'
import { Connection } from '../../pkg/connection.js'
import { Instance } from '../../pkg/instance.js'
import { Patience } from '../../pkg/patience.js'
import { refuses } from './support/check.mjs'

/** A connection whose engine answers as the test wants. */
async function connect(engine) {
  const glue = { Engine: { open: async () => ({ on_commit() {}, on_connection() {}, maintain: async () => false, close: async () => {}, free() {}, ...engine }) } }
  const instance = new Instance(glue)
  let ends = 0
  const connection = await Connection.open(instance, { name: 'a', storage: 'memory', durability: 'relaxed', engine: {}, acceptLoss: false, identity: '' }, undefined, () => ends++)
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
