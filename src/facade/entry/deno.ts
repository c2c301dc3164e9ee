// The entry for Deno, which fetches files too.
import { door } from '../database.js'
import { fromResponse } from '../load.js'

export const { open, deleteDatabase } = /* @__PURE__ */ door(async () => fromResponse(await fetch(new URL('../engine.wasm', import.meta.url))))
export * from '../public.js'
