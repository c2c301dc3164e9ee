// The entry for Node and Bun: the wasm is a file.
import { readFile } from 'node:fs/promises'
import { door } from '../database.js'
import { compile } from '../load.js'

export const { open, deleteDatabase } = /* @__PURE__ */ door(async () => compile(await readFile(new URL('../engine.wasm', import.meta.url))))
export * from '../public.js'
