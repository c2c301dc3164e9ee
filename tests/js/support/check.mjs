// Checks that many tests share. Not tests.
import assert from 'node:assert/strict'
import { HyphaError, memory, open } from 'hyphadb'

/** That `work` fails with a HyphaError as one is promised: this code, a message in good form, a hint. */
export async function refuses(work, code, message) {
  let thrown
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown !== undefined, `nothing was thrown, where ${code} was expected`)
  assert.ok(thrown instanceof HyphaError, `not a HyphaError: ${thrown?.stack ?? thrown}`)
  assert.equal(thrown.code, code, `${thrown.code}: ${thrown.message}`)
  if (message !== undefined) assert.match(thrown.message, message)
  wellFormed(thrown)
  return thrown
}

/** That an error reads as the house style says. */
export function wellFormed(error) {
  assert.match(error.message, /^[^A-Z]/u, 'a message begins lower-case')
  assert.doesNotMatch(error.message, /\n|\.$/u, 'a message is one line without a full stop')
  assert.ok(error.hint.length > 5, `no hint: ${error.message}`)
  assert.equal(typeof error.retryable, 'boolean')
  assert.equal(typeof error.details, 'object')
}

let count = 0
/** A database name that no other test has. */
export const freshName = () => `test-${process.pid}-${++count}`

/** A small database of readings in memory, closed when the test ends. */
export async function openReadings(context, more = {}) {
  const db = await open({
    name: freshName(), storage: memory(),
    collections: { readings: { key: 'id', indexes: ['agent', 'ts', ['site', 'ts'], { name: 'by_serial', fields: 'serial', unique: true, sparse: true }, 'tags', 'place.city'] } },
    ...more,
  })
  context.after(() => db.close())
  return { db, readings: db.collection('readings') }
}

/** `count` readings with fields of every kind. */
export function makeReadings(count) {
  return Array.from({ length: count }, (_, n) => ({
    id: `r${String(n).padStart(5, '0')}`, agent: n % 7, ts: new Date(1.7e12 + n * 1000), site: n % 2 ? 'north' : 'south',
    value: n / 4, total: BigInt(n) * 10n, serial: `s${n}`, tags: [`t${n % 3}`, `u${n % 5}`], place: { city: `c${n % 11}`, at: { lat: n, lon: -n } },
    raw: Uint8Array.of(n & 255, 1), nothing: null,
  }))
}
