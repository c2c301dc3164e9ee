// The entry for Node and Bun: the wasm is a file.
import { readFile } from 'node:fs/promises'
import { door, type Door } from '../database.js'
import { compile, orInlined } from '../load.js'

const here = /* @__PURE__ */ door(() => {
  const file = new URL('../engine.wasm', import.meta.url)
  return orInlined(file.href, async () => compile(await readFile(file)))
})

/** Opens a database, or makes it. The same name with the same configuration shares one connection. */
export const open: Door['open'] = here.open
/** Deletes a database and all that is in it. Other contexts that have it open are told. */
export const deleteDatabase: Door['deleteDatabase'] = here.deleteDatabase

export * from '../public.js'
