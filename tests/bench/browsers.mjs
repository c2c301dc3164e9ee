// The browsers that are measured: how each is started on a given profile, where it keeps a site's data, and how fine its
// clock is on an isolated page (`clock_ms`).
//
// Not what runs in them.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import puppeteer from 'puppeteer-core'
import { browserEnvironment } from '../../setup/browsers.mjs'

/** A call to a page may take as long as this. */
export const CALL_DEADLINE_MS = 30 * 60_000
/** A browser that does not end by itself meanwhile is killed. */
const CLOSE_DEADLINE_MS = 30_000
/** So long after its start a browser is left alone, busy as it is with itself. */
const SETTLE_MS = 1_000

/** A page that was left is gone, as after a reload: none is kept to go back to, with its workers and open files. */
const CHROMIUM_ARGS = [
  '--disable-features=BackForwardCache',
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
]
const chromium = (...more) => ({
  engine: 'chromium',
  clock_ms: 0.005,
  options: { browser: 'chrome', args: [...CHROMIUM_ARGS, ...more] },
  /** Of a profile: IndexedDB, files of the origin, caches that scripts keep. */
  data: ['Default/IndexedDB', 'Default/File System', 'Default/WebStorage', 'Default/Service Worker/CacheStorage', 'Default/Local Storage'],
})

export const browsers = {
  chromium: { ...chromium(), about: 'IndexedDB on LevelDB' },
  'chromium-sqlite': { ...chromium('--enable-features=IdbSqliteBackingStore'), about: 'IndexedDB on SQLite, --enable-features=IdbSqliteBackingStore' },
  firefox: {
    engine: 'firefox',
    clock_ms: 0.02,
    about: 'IndexedDB on SQLite',
    options: {
      browser: 'firefox',
      args: [],
      // The clock as it is, not rounded; and no page is kept that was left.
      extraPrefsFirefox: { 'privacy.reduceTimerPrecision': false, 'dom.max_script_run_time': 0, 'browser.sessionhistory.max_total_viewers': 0 },
    },
    data: ['storage/default'],
  },
}

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/** Starts a browser with further arguments; resolves when it has settled. */
export async function startBrowser(name, profile, args = []) {
  const { engine, options } = browsers[name]
  const browser = await puppeteer.launch({
    ...options,
    args: [...options.args, ...args],
    executablePath: browserEnvironment(engine).BROWSER_EXECUTABLE,
    headless: true,
    userDataDir: profile,
    protocolTimeout: CALL_DEADLINE_MS,
  })
  await pause(SETTLE_MS)
  return browser
}

/** Ends a browser as its user would, and waits until its process is gone. */
export async function endBrowser(browser) {
  const child = browser.process()
  const gone = new Promise(resolve => (child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve()))
  const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_DEADLINE_MS)
  await browser.close().catch(() => child.kill('SIGKILL'))
  await gone
  clearTimeout(timer)
}

async function bytesUnder(path) {
  const found = await stat(path).catch(() => undefined)
  if (!found) return 0
  if (!found.isDirectory()) return found.size
  const sizes = await Promise.all((await readdir(path)).map(name => bytesUnder(join(path, name))))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** The bytes of the files in which a closed browser keeps the data of sites. */
export async function storedBytes(name, profile) {
  const sizes = await Promise.all(browsers[name].data.map(folder => bytesUnder(join(profile, folder))))
  return sizes.reduce((sum, size) => sum + size, 0)
}
