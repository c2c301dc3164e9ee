// The package's exports.
//
// Not a place for code. The entries in `entry/` export the same, each with its own way to find the wasm; this one is for
// browsers, and works where a script knows its own URL.

import { door } from './database.js'
import { beside } from './load.js'

export const { open, deleteDatabase } = /* @__PURE__ */ door(beside)

export * from './public.js'
