// The package's exports.
//
// Not a place for code. The entries in `entry/` export the same, each with its own way to find the wasm; this one is for
// browsers, and works where a script knows its own URL.

import { door, type Door } from './database.js'
import { beside } from './load.js'

const here = /* @__PURE__ */ door(beside)

/** Opens a database, or makes it. The same name with the same configuration shares one connection. */
export const open: Door['open'] = here.open
/** Deletes a database and all that is in it. Other contexts that have it open are told. */
export const deleteDatabase: Door['deleteDatabase'] = here.deleteDatabase

export * from './public.js'
