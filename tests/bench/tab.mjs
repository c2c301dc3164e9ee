// Tabs in which phases are run: a fresh one for each, so that no phase meets what another left in memory.
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

async function ask(tab, kind, phase, settings) {
  await tab.waitForFunction(() => globalThis.runPhase !== undefined)
  return inTime(phase, tab.evaluate((...given) => globalThis.runPhase(...given), kind, phase, settings))
}

/**
 * Runs a phase (`kind` is `compare` or `scale`) in a fresh tab; answers what the page answers, which may be `{ error }`
 * or `{ notThere }`. What `look` answers, called before the tab is closed, is added.
 */
export async function runPhase(browser, server, kind, phase, settings, look = () => ({})) {
  const tab = await browser.newPage()
  await tab.goto(server.url('/'), { waitUntil: 'load' })
  const answer = await ask(tab, kind, phase, settings)
  const seen = await look()
  await tab.close()
  return { ...answer, ...seen }
}

/**
 * Runs a phase after each of so many reloads of a page that has had the database open; `settingsOf(number)`. Nobody
 * closes the database before: a page that is reloaded is not asked.
 */
export async function runReloads(browser, server, kind, phase, settingsOf, times) {
  const tab = await browser.newPage()
  const answers = []
  for (let number = 0; number <= times; number++) {
    await (number ? tab.reload({ waitUntil: 'load' }) : tab.goto(server.url('/'), { waitUntil: 'load' }))
    answers.push(await ask(tab, kind, phase, settingsOf(number)))
  }
  await tab.close()
  return answers.slice(1)
}
