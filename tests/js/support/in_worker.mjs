// The package with each database in a thread of its own: stands for `hyphadb` where the tests of the facade run in worker mode.
import { open as openHere } from '../../../pkg/entry/node.js'
import { makeWorker } from './node_worker.mjs'

export * from '../../../pkg/entry/node.js'

// What is no configuration stays what it is: refusing it is tested too.
export const open = (config) => openHere(config !== null && typeof config === 'object' && !Array.isArray(config) ? { ...config, thread: { worker: makeWorker } } : config)
