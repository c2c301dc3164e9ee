// The loader: what is taken for wasm and what is not. The smallest module stands for the engine.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compile, fromResponse } from '../../pkg/load.js'
import { refuses } from './support/check.mjs'

const EMPTY_MODULE = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
const answer = (body, type, status = 200) => new Response(body, { status, headers: type === undefined ? {} : { 'content-type': type } })

describe('a response becomes a module', () => {
  for (const type of ['application/wasm', 'application/wasm; charset=utf-8', 'application/octet-stream', 'text/html', '']) {
    test(`of type '${type}', by its bytes`, async () => {
      assert.ok((await fromResponse(answer(EMPTY_MODULE, type))) instanceof WebAssembly.Module)
    })
  }
})

describe('what is not wasm is refused before it is compiled', () => {
  test('a page of a server that answers everything', () => refuses(fromResponse(answer('<!doctype html>', 'text/html')), 'unavailable', /not WebAssembly/))
  test('an answer that says no', () => refuses(fromResponse(answer('', 'text/plain', 404)), 'unavailable', /answered 404/))
  test('bytes', () => refuses(compile(new Uint8Array([1, 2, 3, 4])), 'invalid'))
  test('no bytes', () => refuses(compile(new Uint8Array()), 'invalid'))
})

test('importing the package does nothing', async () => {
  const before = Object.keys(globalThis)
  const timers = process.getActiveResourcesInfo()
  await import('hyphadb')
  assert.deepEqual(Object.keys(globalThis), before)
  assert.deepEqual(process.getActiveResourcesInfo(), timers)
})
