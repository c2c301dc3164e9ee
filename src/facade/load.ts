// Where the wasm comes from, and the one instance of it.
//
// Not the opening of databases: that is in `registry.ts`. Nothing happens here before the first `open`.
// Invariants: the bytes are fetched and compiled once; what a server sent instead of wasm is never compiled; an instance
// that trapped is never called again.

import { HyphaError, quote } from './errors.js'
import { glue, start as instantiate } from './glue.js'
import { Instance } from './instance.js'

/** How an entry finds the wasm. */
export type Source = () => Promise<WebAssembly.Module>

let compiling: Promise<WebAssembly.Module> | undefined
let starting: Promise<Instance> | undefined

/** The instance, started now if there is none that lives. `given` is the caller's `wasm` option. */
export async function loadInstance(source: Source, given: unknown): Promise<Instance> {
  const module = await loadModule(source, given)
  const instance = await once((starting ??= start(module)), () => (starting = undefined))
  if (instance.alive) return instance
  // Of several that wait here the first starts anew.
  if ((await starting) === instance) starting = restart()
  return once(starting!, () => (starting = undefined))
}

/** The compiled wasm. */
export async function loadModule(source: Source, given: unknown): Promise<WebAssembly.Module> {
  compiling ??= given === undefined ? source() : fromGiven(given)
  return once(compiling, () => (compiling = undefined))
}

/** The outcome; a failure is forgotten, so that the next call tries again. */
async function once<T>(work: Promise<T>, forget: () => void): Promise<T> {
  try {
    return await work
  } catch (thrown) {
    forget()
    throw thrown instanceof HyphaError ? thrown : notLoaded(thrown)
  }
}

async function start(module: WebAssembly.Module): Promise<Instance> {
  await instantiate(module)
  return new Instance(glue)
}

async function restart(): Promise<Instance> {
  glue.__wbg_reset_state()
  return new Instance(glue)
}

/** Beside this script, by URL; where a bundler put something else there, the copy inside a script. */
export const beside: Source = () => orInlined('engine.wasm', async () => {
  // Throws in a script that does not know where it came from: bundled into a classic one.
  const url = new URL('./engine.wasm', import.meta.url)
  const bytes = url.protocol === 'file:' ? readLocal(url) : undefined
  return bytes === undefined ? fromResponse(await fetch(url)) : compile(bytes)
})

/** What `find` finds, or where that is nothing, as after bundling, the copy inside a script. `name` is for the warning. */
export async function orInlined(name: string, find: () => Promise<WebAssembly.Module>): Promise<WebAssembly.Module> {
  try {
    return await find()
  } catch (cause) {
    if (isForbidden(cause)) throw cause
    // Where there is no such copy either, as in a service worker that is not bundled, the first reason is the one to tell.
    const module = await inlined().catch(() => { throw cause })
    console.warn(
      `hyphadb: ${name} is not beside the script (${(cause as Error).message}); using the copy inside the script, which is larger. ` +
      'Serve `hyphadb/engine.wasm` there, or pass its URL as `open({ wasm })`.',
    )
    return module
  }
}

/** Bytes as a module, after a look at whether they are one. */
export async function compile(bytes: Uint8Array): Promise<WebAssembly.Module> {
  if (!isWasm(bytes)) throw new HyphaError('invalid', 'the bytes are not WebAssembly', { hint: 'pass the content of `hyphadb/engine.wasm`' })
  return WebAssembly.compile(bytes as BufferSource)
}

/** The caller's own wasm: a module, bytes, a response, or where to fetch it. */
async function fromGiven(given: unknown): Promise<WebAssembly.Module> {
  if (given instanceof WebAssembly.Module) return given
  if (given instanceof ArrayBuffer) return compile(new Uint8Array(given))
  if (ArrayBuffer.isView(given)) return compile(new Uint8Array(given.buffer, given.byteOffset, given.byteLength))
  if (typeof Response !== 'undefined' && given instanceof Response) return fromResponse(given)
  if (typeof given === 'string' || given instanceof URL) return fromResponse(await fetch(given))
  throw new HyphaError('invalid', 'option `wasm` of open is not wasm', { hint: 'pass a URL, a Response, bytes, or a WebAssembly.Module' })
}

/** A response as a module. Streaming where the type is exactly right, as it must be; else by its bytes. */
export async function fromResponse(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) throw new HyphaError('unavailable', `${quote(response.url)} answered ${response.status}`)
  const type = response.headers.get('content-type') ?? ''
  if (type.trim().toLowerCase() === 'application/wasm' && typeof WebAssembly.compileStreaming === 'function') {
    return WebAssembly.compileStreaming(response)
  }
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (!isWasm(bytes)) {
    throw new HyphaError('unavailable', `${quote(response.url)} is ${quote(type || 'of no type')}, not WebAssembly`, {
      hint: 'serve `hyphadb/engine.wasm` there, or pass its URL as `open({ wasm })`',
    })
  }
  return compile(bytes)
}

/** The copy in a script of its own, which every bundler finds: text, base64 of gzip. */
async function inlined(): Promise<WebAssembly.Module> {
  const { default: text } = await import('./engine_inline.js')
  const packed = new Blob([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))])
  const stream = packed.stream().pipeThrough(new DecompressionStream('gzip'))
  return compile(new Uint8Array(await new Response(stream).arrayBuffer()))
}

/** In Node, Bun and Deno, where `fetch` may not take file URLs. No import, so that no bundler stumbles over it. */
function readLocal(url: URL): Uint8Array | undefined {
  const runtime = (globalThis as { process?: { getBuiltinModule?: (name: string) => { readFileSync(url: URL): Uint8Array } } }).process
  return runtime?.getBuiltinModule?.('node:fs').readFileSync(url)
}

function isWasm(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d
}

/** Whether the page's Content-Security-Policy forbids compiling: then no other bytes help. */
function isForbidden(thrown: unknown): boolean {
  return thrown instanceof Error && /content security policy|unsafe-eval|\bcsp\b/iu.test(thrown.message)
}

function notLoaded(cause: unknown): HyphaError {
  if (isForbidden(cause)) {
    return new HyphaError('unsupported', 'the Content-Security-Policy of this page forbids WebAssembly', { hint: "allow `script-src 'wasm-unsafe-eval'`", cause })
  }
  return new HyphaError('unavailable', `the engine could not be loaded: ${quote((cause as Error | undefined)?.message ?? cause)}`, {
    hint: 'see that `hyphadb/engine.wasm` is served beside the script, or pass it as `open({ wasm })`',
    cause,
  })
}
