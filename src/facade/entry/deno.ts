// The entry for Deno, which fetches files too.
import { door, type Door } from '../database.js'
import { fromResponse } from '../load.js'

const here = /* @__PURE__ */ door(async () => fromResponse(await fetch(new URL('../engine.wasm', import.meta.url))))

/** Opens a database, or makes it. The same name with the same configuration shares one connection. */
export const open: Door['open'] = here.open
/** Deletes a database and all that is in it. Other contexts that have it open are told. */
export const deleteDatabase: Door['deleteDatabase'] = here.deleteDatabase

export * from '../public.js'
