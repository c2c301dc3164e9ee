// The entry for Node and Bun: the wasm is a file.
import { readFile } from 'node:fs/promises'
import { door } from '../database.js'
import { compile, orInlined } from '../load.js'

export const { open, deleteDatabase } = /* @__PURE__ */ door(() => {
  const file = new URL('../engine.wasm', import.meta.url)
  return orInlined(file, async () => compile(await readFile(file)))
})
export * from '../public.js'
