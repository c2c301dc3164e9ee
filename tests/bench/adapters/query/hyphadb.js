// HyphaDB on the page, with its defaults.
import { storesOf } from './hyphadb_stores.js'

export const { open, openLive, openSchema, openText } = storesOf({})
