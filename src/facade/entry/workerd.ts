// The entry for Cloudflare Workers, which take wasm only as an imported module.
import module from '../engine.wasm'
import { door } from '../database.js'

export const { open, deleteDatabase } = /* @__PURE__ */ door(async () => module)
export * from '../public.js'
