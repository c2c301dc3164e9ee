// How much longer a run takes, from how long its cells have taken so far.
//
// Not a promise: a machine with other work to do takes longer. A cell is expected to take what the same adapter took in the
// same browser; else what it took in another browser; else what the others took.
import { median } from './statistics.mjs'

/** `done` are cells with `took_ms`; `ahead` those to come, `{ browser, adapter }`. Milliseconds. */
export function expectedMs(done, ahead) {
  const took = (browser, adapter) => median(done.filter(cell => (!browser || cell.browser === browser) && (!adapter || cell.adapter === adapter)).map(cell => cell.took_ms))
  return ahead.reduce((sum, { browser, adapter }) => sum + (took(browser, adapter) ?? took(undefined, adapter) ?? took() ?? 0), 0)
}

/** A line for whoever waits: how many cells are left, and when the last of them will be done. */
export function progress(done, ahead, now = new Date()) {
  if (!ahead.length) return 'done'
  const left_ms = expectedMs(done, ahead)
  const end = new Date(now.getTime() + left_ms).toTimeString().slice(0, 5)
  return `${ahead.length} to go, about ${Math.max(1, Math.round(left_ms / 60_000))} min, until ${end}`
}
