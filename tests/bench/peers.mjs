// The packages of the peers: installed when the benchmark first needs them, and never by anything else.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { environment, inProject, logFile } from '../../setup/environment.mjs'
import { logged } from '../../setup/process.mjs'

const FOLDER = inProject('tests/bench')
const read = (...path) => JSON.parse(readFileSync(join(FOLDER, ...path), 'utf8'))

function isInstalled([name, version]) {
  return existsSync(join(FOLDER, 'node_modules', name, 'package.json')) && read('node_modules', name, 'package.json').version === version
}

/** A step of the set-up, as `setup/step.mjs` carries them out. */
export const peersStep = {
  name: 'bench-peers',
  lane: 'npm',
  needs: [],
  why: 'installs the databases that the benchmark compares with, 250 MB',
  takes: 'about half a minute',
  check: () => Object.entries(read('package.json').dependencies).every(isInstalled),
  act: () =>
    logged('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: FOLDER,
      env: environment(),
      log: logFile('bench-peers'),
      deadlineMs: 10 * 60_000,
      remedy: 'check the network, then try by hand: npm ci --prefix tests/bench',
    }),
}
