// The codec of the facade: what comes back, and what is refused.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import vm from 'node:vm'
import { decode, encode, encodeRequest } from '../../pkg/codec.js'
import { DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, FIELD_NAME_BYTES_MAX, OBJECT_FIELDS_MAX } from '../../pkg/limits.js'
import { refuses } from './support/check.mjs'
import { generator, seed } from './support/random.mjs'

/** That a value comes back exactly: types, signs, order of fields, own `__proto__`. */
function roundTrips(value) {
  const back = decode(encode(value))
  assert.deepStrictEqual(back, value)
  assert.deepStrictEqual(order(back), order(value))
}

/** Field names in order, all the way down; deepStrictEqual does not look at order. */
function order(value) {
  if (Array.isArray(value)) return value.map(order)
  if (value === null || typeof value !== 'object' || value instanceof Date || value instanceof Uint8Array) return 0
  return Object.keys(value).map((name) => [name, order(value[name])])
}

const nested = (depth) => { let value = {}; for (let level = 1; level < depth; level++) value = { a: value }; return value }

describe('values come back exactly', () => {
  const values = {
    'null and booleans': [null, true, false],
    'small integers': [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, 16383, -16384],
    'large integers': [2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 36, 2 ** 37 + 1, 2 ** 42 - 1, 2 ** 52, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
    'numbers that are not safe integers': [2 ** 53, -(2 ** 53), 1e300, 1.5, -0.1, Number.MIN_VALUE, Number.MAX_VALUE, Number.EPSILON],
    'minus zero and infinities': [-0, Infinity, -Infinity],
    bigints: [0n, 1n, -1n, 5n, 2n ** 63n - 1n, -(2n ** 63n)],
    strings: ['', 'a', 'é', 'ß€😀', '\u0000', '\ufeffafter a byte order mark', 'x'.repeat(47), 'x'.repeat(48), 'x'.repeat(127), 'x'.repeat(128), 'é'.repeat(64), '€'.repeat(50), '😀'.repeat(33), 'x'.repeat(70_000)],
    dates: [new Date(0), new Date(-1), new Date(8.64e15), new Date(-8.64e15), new Date('2024-02-29T12:00:00.123Z')],
    bytes: [new Uint8Array(), new Uint8Array([0, 255]), new Uint8Array(70_000).fill(7), new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
    arrays: [[], [[]], [1, [2, [3, 'x']], null], new Array(300).fill(1)],
    objects: [{}, { a: {} }, { b: 1, a: 2 }, { '': 1 }, { 'a.b': 1, $c: 2 }, { é: 1, 'Ã©': 2 }],
    'own __proto__ and other old names': [JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"hasOwnProperty":2}')],
    'objects of more than 127 fields': [Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`f${n}`, n]))],
    'the deepest value': [nested(DOCUMENT_DEPTH_MAX)],
  }
  for (const [name, list] of Object.entries(values)) {
    test(name, () => list.forEach(roundTrips))
  }

  test('the prototype of no object is touched by a field named __proto__', () => {
    const back = decode(encode(JSON.parse('{"__proto__":{"polluted":true}}')))
    assert.equal(Object.getPrototypeOf(back), Object.prototype)
    assert.equal({}.polluted, undefined)
    assert.deepEqual(Object.keys(back), ['__proto__'])
  })

  test('objects without a prototype, and of another realm, are plain', () => {
    assert.deepStrictEqual(decode(encode(Object.assign(Object.create(null), { a: 1 }))), { a: 1 })
    const foreign = vm.runInNewContext('({ a: [1, { b: new Date(5) }], c: new Uint8Array([1, 2]) })')
    assert.deepStrictEqual(decode(encode(foreign)), { a: [1, { b: new Date(5) }], c: new Uint8Array([1, 2]) })
  })

  test('a Buffer comes back as its bytes', () => {
    assert.deepStrictEqual(decode(encode(Buffer.from('hi'))), new Uint8Array([104, 105]))
  })

  test('bytes that come back are a copy', () => {
    const encoded = encode(new Uint8Array([1, 2, 3]))
    const back = decode(encoded)
    encoded.fill(9)
    assert.deepEqual([...back], [1, 2, 3])
  })

  test('undefined fields are left out, also where the count of the rest takes fewer bytes', () => {
    assert.deepStrictEqual(decode(encode({ a: undefined, b: 1, c: undefined })), { b: 1 })
    const many = Object.fromEntries(Array.from({ length: 130 }, (_, n) => [`f${n}`, n % 10 === 0 ? undefined : `v${n}`]))
    const kept = Object.fromEntries(Object.entries(many).filter(([, value]) => value !== undefined))
    assert.deepStrictEqual(decode(encode({ many, after: 'x' })), { many: kept, after: 'x' })
  })

  test('symbols as names and inherited fields are no data', () => {
    assert.deepStrictEqual(decode(encode({ a: 1, [Symbol('s')]: 2 })), { a: 1 })
  })

  test('a getter is read once', () => {
    let reads = 0
    const value = { get a() { return ++reads } }
    assert.deepStrictEqual(decode(encode(value)), { a: 1 })
    assert.equal(reads, 1)
  })

  test('a getter that encodes something itself disturbs nothing', () => {
    const value = { before: 'b', get a() { return encode({ inner: [1, 2, 3] }).length }, after: 'c' }
    const inner = encode({ inner: [1, 2, 3] }).length
    assert.deepStrictEqual(decode(encode(value)), { before: 'b', a: inner, after: 'c' })
  })

  test('random values, of any shape', () => {
    const random = generator()
    const whole = (below) => Math.floor(random() * below)
    const text = () => Array.from({ length: whole(60) }, () => String.fromCodePoint([whole(128), 128 + whole(0x700), 0x1f600 + whole(60)][whole(3)])).join('')
    const value = (depth) => {
      switch (whole(depth > 5 ? 8 : 11)) {
        case 0: return null
        case 1: return random() < 0.5
        case 2: return (random() - 0.5) * 10 ** whole(30)
        case 3: return Math.trunc((random() - 0.5) * 2 ** whole(54))
        case 4: return BigInt.asIntN(64, BigInt(Math.trunc(random() * 2 ** 53)) * BigInt(whole(4096)) - 5n)
        case 5: return text()
        case 6: return new Date(Math.trunc((random() - 0.5) * 1.7e16))
        case 7: return Uint8Array.from({ length: whole(40) }, () => whole(256))
        case 8: return Array.from({ length: whole(6) }, () => value(depth + 1))
        default: return Object.fromEntries(Array.from({ length: whole(6) }, () => [text(), value(depth + 1)]))
      }
    }
    for (let round = 0; round < 3000; round++) {
      const one = value(0)
      try {
        roundTrips(one)
      } catch (error) {
        throw new Error(`SEED=${seed} fails in round ${round}`, { cause: error })
      }
    }
  })
})

describe('what would not come back is refused, with its path', () => {
  class Point { x = 1 }
  const cyclic = { a: { b: [] } }
  cyclic.a.b.push(cyclic)
  const sparse = [1, , 3] // eslint-disable-line no-sparse-arrays
  const cases = [
    ['NaN', { a: [1, NaN] }, 'invalid', /NaN at `a\[1\]`/],
    ['a function', { a: { b() {} } }, 'invalid', /a function at `a\.b`/],
    ['a symbol', { a: Symbol('x') }, 'invalid', /a symbol at `a`/],
    ['undefined in an array', { a: [undefined] }, 'invalid', /undefined at `a\[0\]`/],
    ['a hole in an array', { a: sparse }, 'invalid', /undefined at `a\[1\]`/],
    ['a cycle', cyclic, 'invalid', /a cycle at `a\.b\[0\]`/],
    ['a class instance', { p: new Point() }, 'invalid', /an instance of `Point` at `p`/],
    ['a Map', { m: new Map() }, 'invalid', /an instance of `Map` at `m`/],
    ['a Set', { m: new Set() }, 'invalid', /`Set`/],
    ['a RegExp', { r: /x/ }, 'invalid', /`RegExp`/],
    ['a Promise', { r: Promise.resolve() }, 'invalid', /`Promise`/],
    ['an ArrayBuffer', { r: new ArrayBuffer(1) }, 'invalid', /`ArrayBuffer`/],
    ['another typed array', { r: new Float64Array(1) }, 'invalid', /a Float64Array at `r`/],
    ['a DataView', { r: new DataView(new ArrayBuffer(1)) }, 'invalid', /a DataView at `r`/],
    ['a boxed number', { r: Object(5) }, 'invalid', /`Number`/],
    ['an invalid date', { r: new Date(NaN) }, 'invalid', /an invalid date at `r`/],
    ['a bigint that is too large', { r: 2n ** 63n }, 'invalid', /a bigint outside 64 bits at `r`/],
    ['a lone surrogate', { r: 'ab\ud800' }, 'invalid', /a lone surrogate at `r`/],
    ['a lone surrogate in a long string', { r: `${'x'.repeat(500)}\udc00` }, 'invalid', /a lone surrogate at `r`/],
    ['a lone surrogate in a name', { '\ud800': 1 }, 'invalid', /a lone surrogate/],
    ['an object whose prototype is an object', { r: Object.create({ a: 1 }) }, 'invalid', /at `r`/],
    ['an object whose prototype is an object without one', { r: Object.create(Object.create(null)) }, 'invalid', /not plain at `r`/],
    ['a value that is too deep', nested(DOCUMENT_DEPTH_MAX + 1), 'limit', /65 levels/],
    ['too many fields', { a: Object.fromEntries(Array.from({ length: OBJECT_FIELDS_MAX + 1 }, (_, n) => [n, 1])) }, 'limit', /10001 fields/],
    ['a name that is too long', { ['x'.repeat(FIELD_NAME_BYTES_MAX + 1)]: 1 }, 'limit', /field name/],
    ['a name that is too long in UTF-8', { ['é'.repeat(FIELD_NAME_BYTES_MAX / 2 + 1)]: 1 }, 'limit', /field name/],
    ['a string that is too large', { a: 'x'.repeat(DOCUMENT_BYTES_MAX + 1) }, 'limit', /bytes/],
    ['bytes that are too large', { a: new Uint8Array(DOCUMENT_BYTES_MAX + 1) }, 'limit', /bytes/],
    ['many parts that are too large', { a: Array(20).fill('x'.repeat(1024 * 1024)) }, 'limit', /bytes/],
    ['a getter that throws', { get a() { throw new Error('no') } }, 'invalid', /could not be read/],
  ]
  for (const [name, value, code, message] of cases) {
    test(name, () => refuses(() => encode(value), code, message))
  }

  test('names of exactly the limit are fine', () => {
    roundTrips({ ['x'.repeat(FIELD_NAME_BYTES_MAX)]: 1, ['é'.repeat(FIELD_NAME_BYTES_MAX / 2)]: 2 })
  })

  test('the same object twice is no cycle', () => {
    const shared = { x: 1 }
    assert.deepStrictEqual(decode(encode([shared, shared])), [shared, shared])
  })

  test('after a refusal the next value is whole', async () => {
    await refuses(() => encode({ a: { b: [NaN] } }), 'invalid')
    roundTrips({ a: 1 })
    await refuses(() => encode({ a: NaN }), 'invalid', /^value has NaN at `a`$/)
  })

  test('in a request the path begins at the document, and the details name it', async () => {
    const error = await refuses(() => encodeRequest({ op: 'insert', docs: [{ a: 1 }, { a: { b: NaN } }] }), 'invalid', /^document has NaN at `a\.b`$/)
    assert.deepEqual(error.details, { index: 1, path: 'a.b' })
    await refuses(() => encodeRequest({ op: 'find', filter: { a: { $gt: NaN } } }), 'invalid', /^filter has NaN at `a\.\$gt`$/)
    await refuses(() => encodeRequest({ op: 'get', keys: [undefined] }), 'invalid', /^key is undefined$/)
  })

  test('a document of the full depth goes through in a request', () => {
    const request = { op: 'bulk_write', operations: [{ insertOne: { document: nested(DOCUMENT_DEPTH_MAX) } }] }
    assert.deepStrictEqual(decode(encodeRequest(request)), request)
    encodeRequest({ op: 'insert', docs: [nested(DOCUMENT_DEPTH_MAX)] })
  })
})

describe('bytes that are no value are refused', () => {
  const good = encode({ a: [1, 'text', 2n, new Date(5), new Uint8Array([1, 2])], é: { b: null, c: 2.5 } })

  test('every cut', () => {
    for (let end = 0; end < good.length; end++) assert.throws(() => decode(good.subarray(0, end)), { code: 'internal' })
  })

  test('bytes after the end, unknown tags, bad UTF-8, counts without an end', () => {
    for (const bad of [[...good, 0], [11], [255], [6, 1, 255], [9, 255, 255, 255, 255, 15], [8, 255, 255, 255, 127], [4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]]) {
      assert.throws(() => decode(Uint8Array.from(bad)), { code: 'internal' })
    }
  })

  test('random damage gives a value or an error, nothing else', () => {
    const random = generator()
    for (let round = 0; round < 20_000; round++) {
      const bad = good.slice()
      for (let flips = 0; flips < 3; flips++) bad[Math.floor(random() * bad.length)] = Math.floor(random() * 256)
      try {
        decode(bad)
      } catch (error) {
        assert.equal(error.code, 'internal', `SEED=${seed}: ${error}`)
      }
    }
  })
})
