// The entry for Cloudflare Workers, which take wasm only as an imported module.
import module from '../engine.wasm'
import { door, type Door } from '../database.js'

const here = /* @__PURE__ */ door(async () => module)

/** Opens a database, or makes it. The same name with the same configuration shares one connection. */
export const open: Door['open'] = here.open
/** Deletes a database and all that is in it. Other contexts that have it open are told. */
export const deleteDatabase: Door['deleteDatabase'] = here.deleteDatabase

export * from '../public.js'
