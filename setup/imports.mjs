// Short names for what the wasm imports from its glue.
//
// wasm-bindgen names each import by what it is and a hash, in the wasm and in the script: bytes that no compression takes
// away, downloaded twice. Nobody but these two files ever says the names. What else is in the files stays as it is.
import { Failure } from './process.mjs'

const IMPORT_SECTION = 2
const HEADER_BYTES = 8

/** LEB128, as wasm has it. */
function varint(value) {
  const bytes = []
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128)
  return [...bytes, value]
}

function reader(bytes, start) {
  let at = start
  const number = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const take = length => bytes.subarray(at, (at += length))
  return { number, take, text: () => Buffer.from(take(number())).toString(), at: () => at }
}

/** The names of the imports, renamed; only functions are looked for: the glue imports nothing else. */
function renamed(section, nameOf) {
  const { number, take, text } = reader(section, 0)
  const out = []
  const count = number()
  out.push(...varint(count))
  const push = bytes => out.push(...varint(bytes.length), ...bytes)
  for (let place = 0; place < count; place++) {
    push(Buffer.from(text()))
    push(Buffer.from(nameOf(text())))
    const [kind] = take(1)
    if (kind !== 0) throw new Failure('the wasm imports what is no function', 'look at setup/imports.mjs')
    out.push(kind, ...varint(number()))
  }
  return Buffer.from(out)
}

/** The wasm and its script with short names for imports. */
export function shortenImports(wasm, script) {
  const names = new Map()
  const nameOf = long => {
    if (!names.has(long)) names.set(long, `i${names.size.toString(36)}`)
    return names.get(long)
  }
  const parts = [wasm.subarray(0, HEADER_BYTES)]
  for (let at = HEADER_BYTES; at < wasm.length; ) {
    const { number, take, at: now } = reader(wasm, at + 1)
    const section = take(number())
    const bytes = wasm[at] === IMPORT_SECTION ? renamed(section, nameOf) : section
    parts.push(Buffer.from([wasm[at], ...varint(bytes.length)]), bytes)
    at = now()
  }
  const text = script.replace(/^( +)(\w+): function\(/gm, (line, space, name) => (names.has(name) ? `${space}${names.get(name)}: function(` : line))
  for (const [long, short] of names)
    if (!text.includes(`${short}: function(`)) throw new Failure(`the glue has no import ${long}`, 'look at setup/imports.mjs')
  return { wasm: Buffer.concat(parts), script: text }
}
