// The script of a Node thread that has an engine, as `pkg/entry/worker.js` is that of a browser's worker.
import { parentPort } from 'node:worker_threads'
import instantiate, * as glue from '../../../pkg/engine.js'
import { serve } from '../../../pkg/server.js'

const port = {
  postMessage: (message, transfer) => parentPort.postMessage(message, transfer),
  addEventListener: (type, listener) => parentPort.on(type, (data) => listener({ data })),
}
serve(port, glue, (module) => instantiate({ module_or_path: module }))
