// HyphaDB with its engine in a worker.
import { storesOf } from './hyphadb_stores.js'

export const { open, openLive, openSchema, openText } = storesOf({ thread: 'worker' })
