// The browsers and drivers of the browser tests, from Debian. Only `npm test` asks for them, never `npm start`.
import { installPackages } from './debian.mjs'
import { environment, isExecutable } from './environment.mjs'
import { geckodriver } from './toolchain.mjs'

/** Each program that a package brings, so that a look at the disk tells whether it is there. */
const CHROMIUM = { chromium: '/usr/bin/chromium', 'chromium-driver': '/usr/bin/chromedriver' }
const FIREFOX = { 'firefox-esr': '/usr/bin/firefox-esr' }
const WEBKIT = { 'webkit2gtk-driver': '/usr/bin/WebKitWebDriver', xvfb: '/usr/bin/xvfb-run', xauth: '/usr/bin/xauth' }

function packages(name, programs, takes) {
  const missing = () => Object.keys(programs).filter(name => !isExecutable(programs[name]))
  return {
    name,
    lane: 'system',
    why: `installs Debian's ${Object.keys(programs).join(', ')} for the browser tests`,
    takes,
    check: () => missing().length === 0,
    act: () => installPackages(name, missing()),
  }
}

export const browserSteps = [
  packages('chromium', CHROMIUM, 'about 1 min'),
  packages('firefox', FIREFOX, 'about 1 min'),
  packages('webkit', WEBKIT, 'about 1 min'),
]

/** How each engine runs the tests of the crate: the driver by its variable, exactly one at a time. */
export const drivers = {
  chromium: () => ({ CHROMEDRIVER: CHROMIUM['chromium-driver'] }),
  firefox: () => ({ GECKODRIVER: geckodriver() }),
  webkit: () => ({ SAFARIDRIVER: WEBKIT['webkit2gtk-driver'] }),
}

/** What the page tests need to know to start a browser. */
export function browserEnvironment(engine) {
  const executable = { chromium: CHROMIUM.chromium, firefox: FIREFOX['firefox-esr'] }[engine]
  return environment({ BROWSER: engine, BROWSER_EXECUTABLE: executable })
}

/** WebKit opens a window, so it gets a display that nobody sees. */
export const withDisplay = command => [WEBKIT.xvfb, '-a', ...command]
