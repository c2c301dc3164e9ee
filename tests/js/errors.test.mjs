// Errors: the codes are those of the core, and what the engine throws becomes a HyphaError.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { HyphaError } from 'hyphadb'
import { fromEngine } from '../../pkg/engine_error.js'
import { ERROR_CODES, quote } from '../../pkg/errors.js'
import * as limits from '../../pkg/limits.js'
import { wellFormed } from './support/check.mjs'

const source = (path) => readFile(new URL(`../../src/${path}`, import.meta.url), 'utf8')

test('codes are those of the core, in the same order', async () => {
  const rust = await source('error.rs')
  const codes = [...rust.matchAll(/ErrorKind::\w+ => "([a-z_]+)",/gu)].map(([, code]) => code)
  assert.deepEqual(ERROR_CODES, codes)
})

test('hints and the right to retry are those of the core', async () => {
  const rust = await source('error.rs')
  const kinds = Object.fromEntries([...rust.matchAll(/ErrorKind::(\w+) => "([a-z_]+)",/gu)].map(([, kind, code]) => [kind, code]))
  const hints = [...rust.matchAll(/ErrorKind::(\w+) => "(.* .*)",/gu)]
  assert.equal(hints.length, ERROR_CODES.length)
  for (const [, kind, hint] of hints) assert.equal(new HyphaError(kinds[kind], 'x').hint, hint)
  const retryable = /matches!\(self, ([^)]*)\)/u.exec(rust)[1].match(/\w+(?= |$)/gu).filter((word) => word in kinds).map((kind) => kinds[kind])
  assert.deepEqual(ERROR_CODES.filter((code) => new HyphaError(code, 'x').retryable).sort(), retryable.sort())
})

test('limits are those of the core', async () => {
  const rust = await source('limits.rs')
  for (const [name, value] of Object.entries(limits)) {
    const found = new RegExp(`pub const ${name}: \\w+ = ([^;]+);`, 'u').exec(rust)
    assert.ok(found, `${name} is not a limit of the core`)
    assert.equal(found[1].replaceAll('_', '').split('*').reduce((product, factor) => product * Number(factor), 1), value, name)
  }
})

test('a plain object of the engine becomes a HyphaError with everything it said', () => {
  const error = fromEngine({ code: 'already_exists', message: 'key `a` is taken', retryable: false, hint: 'use `put`', details: { index: 'primary' } })
  assert.ok(error instanceof HyphaError && error instanceof Error)
  assert.equal(error.name, 'HyphaError')
  assert.equal(error.code, 'already_exists')
  assert.equal(error.hint, 'use `put`')
  assert.deepEqual(error.details, { index: 'primary' })
  wellFormed(error)
  assert.equal(fromEngine(error), error)
  assert.deepEqual(JSON.parse(JSON.stringify(error)), { name: 'HyphaError', code: 'already_exists', message: 'key `a` is taken', retryable: false, hint: 'use `put`', details: { index: 'primary' } })
})

test('anything else is internal and keeps its cause', () => {
  for (const thrown of [new TypeError('x is not a function'), 'text', undefined, null, 5, { code: 'nonsense', message: 'm' }, { code: 'toString', message: 'm' }]) {
    const error = fromEngine(thrown)
    assert.equal(error.code, 'internal')
    wellFormed(error)
  }
  const cause = new TypeError('x')
  assert.equal(fromEngine(cause).cause, cause)
})

test('quoted text is on one line and not endless', () => {
  assert.equal(quote('a\nb'), '`a b`')
  assert.equal(quote('x'.repeat(200)).length, 82)
  assert.equal(quote(Object.create(null)), '`object`')
})
