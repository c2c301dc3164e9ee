// The script of the worker in which `thread: 'worker'` has the engine.
import instantiate, { Engine, __wbg_reset_state, delete_database, on_panic } from '../engine.js'
import type { Glue } from '../boundary.js'
import { serve, type Port } from '../server.js'

const glue = { Engine, __wbg_reset_state, delete_database, on_panic } as unknown as Glue
serve(globalThis as unknown as Port, glue, (module) => instantiate({ module_or_path: module }))
