// The entry for edge runtimes that take wasm as `?module`.
import module from '../engine.wasm?module'
import { door } from '../database.js'

export const { open, deleteDatabase } = /* @__PURE__ */ door(async () => module)
export * from '../public.js'
