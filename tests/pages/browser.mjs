// The browser under test: BROWSER=chromium|firefox, started with a profile of its own.
//
// Not a test. Whoever launches closes; profiles are removed at the end of the test file.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import puppeteer from 'puppeteer-core'

export const engine = process.env.BROWSER ?? 'chromium'
export const isChromium = engine === 'chromium'

const EXECUTABLE = process.env.BROWSER_EXECUTABLE ?? { chromium: '/usr/bin/chromium', firefox: '/usr/bin/firefox-esr' }[engine]
const CHROMIUM_ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
]

/** A folder for a browser's data, gone when the test file ends. */
export async function newProfile() {
  const folder = await mkdtemp(join(tmpdir(), 'hyphadb-profile-'))
  after(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }))
  return folder
}

/** Starts the browser; `prefs` are Firefox's. */
export async function launch({ profile, prefs = {} } = {}) {
  return puppeteer.launch({
    browser: isChromium ? 'chrome' : 'firefox',
    executablePath: EXECUTABLE,
    headless: true,
    args: isChromium ? CHROMIUM_ARGS : [],
    userDataDir: profile,
    extraPrefsFirefox: prefs,
    protocolTimeout: 180_000,
  })
}

/** Ends the browser as a power cut for its processes: nothing is flushed, nobody is asked. */
export async function kill(browser) {
  const child = browser.process()
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

/** A tab on the site. What the page throws outside of a test's own calls ends up in `page.errors`. */
export async function openTab(browser, site, path = '/') {
  const page = await browser.newPage()
  page.errors = []
  page.on('pageerror', error => page.errors.push(String(error)))
  await page.goto(site.url(path), { waitUntil: 'load' })
  return page
}
