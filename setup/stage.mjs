// One stage of the build: carried out when its inputs changed, skipped when they did not.
// What the stages do is in build.mjs.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { inProject } from './environment.mjs'
import { seconds } from './step.mjs'

/** The folder of what lies between the stages. */
export const between = (...parts) => inProject('target', 'pkg', ...parts)

/** Every file under a folder, sorted, as absolute paths. */
export async function filesUnder(folder) {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

/** One hash over the names and bytes of files and over plain strings. */
async function digest({ files, words }) {
  const hash = createHash('sha256')
  for (const word of words) hash.update(`word ${word.length} ${word}\n`)
  for (const file of files) {
    const bytes = await readFile(file)
    hash.update(`file ${relative(inProject(), file)} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex')
}

export function tell(name, text) {
  console.log(`build  ${name}: ${text}`)
}

/** Runs `act` unless the hash of `files` and `words` is the one of the last time and every output is there. */
export async function stage({ name, stamp, files = [], words = [], outputs, act }) {
  const inputs = await digest({ files, words })
  const file = between(`${stamp}.stamp`)
  if (outputs.every(output => existsSync(output)) && (await readFile(file, 'utf8').catch(() => '')) === inputs)
    return false
  const start = performance.now()
  await rm(file, { force: true })
  await act()
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, inputs)
  tell(name, seconds(start))
  return true
}

async function writeIfChanged(file, bytes) {
  if (existsSync(file) && bytes.equals(await readFile(file))) return
  await mkdir(dirname(file), { recursive: true })
  const fresh = `${file}.new`
  await writeFile(fresh, bytes)
  await rename(fresh, file)
}

/** Makes a folder hold exactly these files (a map from relative path to source) and the files and folders named in `keep`. */
export async function assemble(folder, sources, keep) {
  for (const [name, source] of sources) await writeIfChanged(join(folder, name), await readFile(source))
  const wanted = new Set([...sources.keys(), ...keep])
  for (const file of await filesUnder(folder)) {
    const name = relative(folder, file)
    if (wanted.has(name) || wanted.has(name.split('/')[0])) continue
    await rm(file)
    await rmdir(dirname(file)).catch(() => {})
  }
}
