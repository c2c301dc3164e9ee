// Installs Debian packages. It does not know what they are for.
import { stat } from 'node:fs/promises'
import { environment, find, logFile } from './environment.mjs'
import { Failure, capture, logged } from './process.mjs'

const DAY_MS = 86_400_000
const LISTS = '/var/lib/apt/lists'

let updated = false

async function asRoot(packages) {
  const remedy = `install them by hand as root: apt-get install ${packages.join(' ')}`
  if (!find('apt-get'))
    throw new Failure(
      'these packages are needed and this system has no apt-get',
      `install what corresponds to Debian's: ${packages.join(' ')}`,
    )
  if (process.getuid() === 0) return []
  if (find('sudo') && (await capture('sudo', ['-n', 'true'], { deadlineMs: 5_000 })).code === 0) return ['sudo', '-n']
  throw new Failure('Debian packages are needed and neither root nor sudo without a password is at hand', remedy)
}

async function listsAreFresh() {
  const { mtimeMs } = await stat(LISTS).catch(() => ({ mtimeMs: 0 }))
  return Date.now() - mtimeMs < DAY_MS
}

/** Installs the packages that are missing; asks for new package lists once, and only when they are old or did not do. */
export async function installPackages(name, packages) {
  const prefix = await asRoot(packages)
  const apt = (args, remedy) => {
    const [first, ...rest] = [...prefix, 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300', ...args]
    return logged(first, rest, {
      env: environment({ DEBIAN_FRONTEND: 'noninteractive' }),
      log: logFile(name),
      remedy,
      append: true,
      deadlineMs: 20 * 60_000,
    })
  }
  const remedy = `check the network and the package sources, then run by hand: apt-get update && apt-get install ${packages.join(' ')}`
  const update = async () => {
    await apt(['update'], remedy)
    updated = true
  }
  const install = () => apt(['install', '--yes', '--no-install-recommends', ...packages], remedy)
  if (!updated && !(await listsAreFresh())) await update()
  try {
    await install()
  } catch (error) {
    if (updated) throw error
    await update()
    await install()
  }
}
