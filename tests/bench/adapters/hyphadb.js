// HyphaDB on the page, with its defaults.
import { openStore } from './hyphadb_store.js'

export const open = (options = {}) => openStore(options)
