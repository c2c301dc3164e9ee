// Patience: aborted and timed out calls, and that nothing is left behind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getEventListeners } from 'node:events'
import { Patience } from '../../pkg/patience.js'
import { refuses } from './support/check.mjs'

const never = () => new Promise(() => undefined)

test('without signal and limit there is nothing to watch', () => {
  assert.equal(Patience.from(undefined), undefined)
  assert.equal(Patience.from({ signal: undefined }), undefined)
})

test('an aborted signal is noticed at once, and gives its reason as the cause', async () => {
  const reason = new Error('enough')
  const error = await refuses(() => Patience.from({ signal: AbortSignal.abort(reason) }).check(), 'cancelled')
  assert.equal(error.cause, reason)
})

test('an abort ends the wait and leaves no listener', async () => {
  const controller = new AbortController()
  const waiting = refuses(Patience.from({ signal: controller.signal }).race(never()), 'cancelled')
  controller.abort()
  await waiting
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

test('an answer in time ends the wait and leaves no listener', async () => {
  const { signal } = new AbortController()
  assert.equal(await Patience.from({ signal, timeoutMs: 1e12 }).race(Promise.resolve(5)), 5)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('a limit that has passed', async () => {
  const error = await refuses(Patience.from({ timeoutMs: 1 }).race(never()), 'cancelled', /longer than its 1 ms/)
  assert.deepEqual(error.details, { timeoutMs: 1 })
  await refuses(() => Patience.from({ timeoutMs: 0 }).check(), 'cancelled')
})
