// Configurations and options: what is not known is refused, with the nearest known word.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memory } from 'hyphadb'
import { readConfig, readIndex } from '../../pkg/config.js'
import { CALL, WRITE, checkOptions, nearestTo } from '../../pkg/options.js'
import { readFilter, readProjection, readSort, readUpdate } from '../../pkg/query.js'
import { refuses } from './support/check.mjs'

const good = () => ({ name: 'a', storage: memory(), collections: { r: { key: 'id', indexes: ['x', ['x', 'y'], { fields: 'z', unique: true }] } } })

describe('configurations', () => {
  test('a good one becomes what the engine takes', () => {
    assert.deepEqual(readConfig(good()).engine.collections, [['r', {
      key: 'id', schema: undefined, version: undefined,
      indexes: [
        { fields: ['x'], unique: false, sparse: false },
        { fields: ['x', 'y'], unique: false, sparse: false },
        { name: undefined, fields: ['z'], unique: true, sparse: false },
      ],
    }]])
  })

  test('equal meaning, equal identity; another meaning, another', () => {
    const { identity } = readConfig(good())
    assert.equal(readConfig({ ...good(), durability: 'relaxed', databases: { main: 'main' }, thread: 'inline', preload: true }).identity, identity)
    for (const other of [{ durability: 'strict' }, { databases: { main: 'm' } }, { collections: {} }, { cacheBytes: 5 }, { preload: false }]) {
      assert.notEqual(readConfig({ ...good(), ...other }).identity, identity)
    }
  })

  const bad = {
    'no configuration': [undefined, /configuration is undefined/],
    'a name alone': ['app', /configuration is the string `app`/],
    'no name': [{ storage: memory() }, /`name` of open is missing/],
    'a name of the wrong type': [{ ...good(), name: 5 }, /`name` of open is the number `5`/],
    'an empty name': [{ ...good(), name: '' }, /`name`/],
    'an unknown option': [{ ...good(), durabilty: 'strict' }, /`durabilty` of open is not known/],
    'an unknown durability': [{ ...good(), durability: 'sometimes' }, /not 'relaxed' or 'strict'/],
    'collections as an array': [{ ...good(), collections: ['r'] }, /`collections` of open is an array/],
    'a collection as a string': [{ ...good(), collections: { r: 'id' } }, /collection `r` is the string `id`/],
    'an unknown option of a collection': [{ ...good(), collections: { r: { index: [] } } }, /`index` of collection `r` is not known/],
    'indexes as a string': [{ ...good(), collections: { r: { indexes: 'x' } } }, /not an array/],
    'an index that is a number': [{ ...good(), collections: { r: { indexes: [5] } } }, /the number `5`, not a field/],
    'an index without fields': [{ ...good(), collections: { r: { indexes: [{ unique: true }] } } }, /has no fields/],
    'an index of no fields': [{ ...good(), collections: { r: { indexes: [[]] } } }, /names no field/],
    'an unknown option of an index': [{ ...good(), collections: { r: { indexes: [{ fields: 'x', uniqe: true }] } } }, /`uniqe`/],
    'a key that is a number': [{ ...good(), collections: { r: { key: 5 } } }, /not a field/],
    'a signal that is none': [{ ...good(), signal: 5 }, /not an AbortSignal/],
    'a time limit below zero': [{ ...good(), timeoutMs: -1 }, /`timeoutMs`/],
  }
  for (const [name, [config, message]] of Object.entries(bad)) {
    test(`${name} is refused`, () => refuses(() => readConfig(config), 'invalid', message))
  }

  test('what this version does not have is unsupported, not ignored', async () => {
    for (const more of [{ encryption: {} }, { thread: 'worker' }, { backup_interval: 5 }, { collections: { r: { ttl: {} } } }]) {
      await refuses(() => readConfig({ ...good(), ...more }), 'unsupported')
    }
  })

  test('without IndexedDB a storage has to be named', async () => {
    const error = await refuses(() => readConfig({ name: 'a' }), 'unsupported', /no IndexedDB/)
    assert.match(error.hint, /memory\(\)/)
    await refuses(() => readConfig({ name: 'a', storage: { kind: 'memory' } }), 'unsupported', /not a storage/)
    await refuses(() => readConfig({ name: 'a', storage: memory }), 'unsupported')
  })
})

describe('options', () => {
  test('the nearest known option is named', async () => {
    const error = await refuses(() => checkOptions({ timeoutMS: 5, durability: 'strict' }, WRITE, 'put'), 'invalid', /`timeoutMS` of put is not known/)
    assert.equal(error.hint, 'did you mean `timeoutMs`?')
    assert.deepEqual(error.details, { option: 'timeoutMS', nearest: 'timeoutMs' })
  })

  test('where none is near, all are', async () => {
    const error = await refuses(() => checkOptions({ session: 1 }, CALL, 'get'), 'invalid')
    assert.equal(error.hint, 'get knows: signal, timeoutMs')
  })

  test('names of Object.prototype are no options', () => refuses(() => checkOptions({ toString: 1 }, CALL, 'get'), 'invalid'))

  test('undefined means not given', () => checkOptions({ signal: undefined, timeoutMs: undefined }, CALL, 'get'))

  test('nearest', () => {
    assert.equal(nearestTo('upsrt', ['upsert', 'ordered']), 'upsert')
    assert.equal(nearestTo('cache_bytes', ['cacheBytes']), 'cacheBytes')
    assert.equal(nearestTo('zzzzzz', ['upsert', 'ordered']), undefined)
  })
})

describe('queries', () => {
  const cases = [
    ['a filter that is a string', () => readFilter('x'), /filter is the string/],
    ['a filter that is an array', () => readFilter([]), /filter is an array/],
    ['an update that is missing', () => readUpdate(undefined), /update is undefined/],
    ['an update without operators', () => readUpdate({ a: 1 }), /a field `a` where an operator must stand/],
    ['an empty update', () => readUpdate({}), /update is empty/],
    ['a sort by a word', () => readSort({ a: 'asc' }), /sort of `a` is the string `asc`, not 1 or -1/],
    ['a sort that is a string', () => readSort('a'), /sort is the string/],
    ['a projection of true', () => readProjection({ a: true }), /not 1 or 0/],
    ['an index of null', () => readIndex(null, 'collection `r`'), /index of collection `r` is null/],
  ]
  for (const [name, work, message] of cases) test(`${name} is refused`, () => refuses(work, 'invalid', message))

  test('order of sort is kept, as an object or as pairs', () => {
    assert.deepEqual(readSort({ b: 1, a: -1 }), [['b', 1], ['a', -1]])
    assert.deepEqual(readSort([['2', 1], ['1', -1]]), [['2', 1], ['1', -1]])
  })
})
