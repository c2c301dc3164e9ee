// The list of everything that can be set up, and the npm packages among it. How a step runs is in step.mjs.
import { existsSync, readFileSync } from 'node:fs'
import { browserSteps } from './browsers.mjs'
import { environment, inProject, logFile, manifest } from './environment.mjs'
import { logged } from './process.mjs'
import { toolchainSteps } from './toolchain.mjs'

function installedVersion(name) {
  const file = inProject('node_modules', name, 'package.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined
}

const npmSteps = [
  {
    name: 'npm',
    lane: 'npm',
    why: 'installs the npm packages that package-lock.json names',
    takes: 'about half a minute',
    check: () =>
      Object.entries(manifest().devDependencies).every(([name, version]) => installedVersion(name) === version),
    act: () =>
      logged('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
        cwd: inProject(),
        env: environment(),
        log: logFile('npm'),
        deadlineMs: 10 * 60_000,
        remedy: 'check the network, then try by hand: npm ci',
      }),
  },
]

export const steps = [...npmSteps, ...toolchainSteps, ...browserSteps]

/** What the steps of a build are. */
export const BUILD_STEPS = ['npm', 'rust', 'wasm-std', 'wasm-bindgen']
