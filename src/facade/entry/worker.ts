// The script of the worker in which `thread: 'worker'` has the engine.
import { glue, start } from '../glue.js'
import { serve, type Port } from '../server.js'

serve(globalThis as unknown as Port, glue, start)
