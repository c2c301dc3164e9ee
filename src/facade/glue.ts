// The generated glue, with what it lacks: nobody awaits a trap inside an event or a microtask, so that is told like a panic.
//
// Imported statically, because service workers forbid `import()`; it does nothing before it is given a module.

import instantiate, { Engine, __wbg_reset_state, delete_database, on_panic, on_throw } from './engine.js'
import type { Glue } from './boundary.js'
import { isTrap } from './errors.js'

/** By name, so that a bundler leaves out what is not used of it. */
export const glue: Glue = {
  Engine: Engine as unknown as Glue['Engine'],
  __wbg_reset_state,
  delete_database,
  on_panic(tell) {
    on_panic(tell)
    on_throw((thrown: unknown) => { if (isTrap(thrown)) tell(String(thrown)) })
  },
}

export const start = (module: WebAssembly.Module): Promise<unknown> => instantiate({ module_or_path: module })
