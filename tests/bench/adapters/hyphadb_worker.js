// HyphaDB with its engine in a worker.
import { openStore } from './hyphadb_store.js'

class NotThere extends Error {
  name = 'NotThere'
}

/** A version that has no worker mode refuses the option; then there is nothing to measure. */
export async function open() {
  try {
    return await openStore({ thread: 'worker' })
  } catch (error) {
    if (/thread/.test(error.message)) throw new NotThere(error.message)
    throw error
  }
}
