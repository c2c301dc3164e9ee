// A tab in which phases are run.
import { CALL_DEADLINE_MS } from './browsers.mjs'

/** The answer, or an error where it does not come: some hang in one browser or the other. */
async function inTime(phase, answering) {
  let timer
  const late = new Promise(resolve => {
    timer = setTimeout(resolve, CALL_DEADLINE_MS, { error: `${phase}: no answer in ${CALL_DEADLINE_MS / 60_000} min` })
  })
  answering.catch(() => {})
  return Promise.race([answering, late]).finally(() => clearTimeout(timer))
}

/**
 * Runs a phase (`kind` is `compare` or `scale`) in a page that was just loaded; the one before it was left for an empty
 * one. Answers what the page answers, `{ error }` or `{ notThere }` among it.
 */
export async function runPhase(tab, server, kind, phase, settings) {
  await tab.goto(server.url('/blank.html'), { waitUntil: 'load' })
  await tab.goto(server.url('/'), { waitUntil: 'load' })
  await tab.waitForFunction(() => globalThis.runPhase !== undefined)
  return inTime(phase, tab.evaluate((...given) => globalThis.runPhase(...given), kind, phase, settings))
}
