// Where things are: the project, the cache, Rust's home, and the environment that child processes get.
// It looks and never installs; what is missing is the business of the steps.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure } from './process.mjs'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const inProject = (...parts) => join(root, ...parts)

const home = process.env.HOME || homedir()

/** What is made once per machine and kept between checkouts, keyed by version. */
export const cache = resolve(
  process.env.HYPHADB_CACHE || join(process.env.XDG_CACHE_HOME || join(home, '.cache'), 'hyphadb'),
)
export const inCache = (...parts) => join(cache, ...parts)
export const logFile = name => inCache('log', `${name}.log`)

export const WASM_TARGET = 'wasm32-unknown-unknown'
export const WASM_TARGET_FOLDER = inProject('target', 'web')

/** Where cargo keeps the sources of crates. */
export const cargoHome = () => process.env.CARGO_HOME || join(home, '.cargo')

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path of a command on PATH, or undefined. */
export function find(command, path = process.env.PATH ?? '') {
  return path
    .split(delimiter)
    .filter(Boolean)
    .map(folder => join(folder, command))
    .find(isExecutable)
}

/** A shell that never read rustup's profile lines still finds cargo beside the user's home. */
function searchPath() {
  const path = process.env.PATH ?? ''
  const folder = join(cargoHome(), 'bin')
  return find('cargo', path) || !isExecutable(join(folder, 'cargo')) ? path : `${folder}${delimiter}${path}`
}

/**
 * Rustup's home. Its proxies look under HOME, which may be another one than that of whoever installed rustup
 * (an empty HOME in a clean-room run); then the toolchains lie beside the folder that holds the proxies:
 * `…/.cargo/bin/cargo` and `…/.rustup`.
 */
function rustupHome(path) {
  if (process.env.RUSTUP_HOME) return process.env.RUSTUP_HOME
  if (existsSync(join(home, '.rustup', 'toolchains'))) return undefined
  const cargo = find('cargo', path)
  if (!cargo) return undefined
  const beside = dirname(dirname(dirname(cargo)))
  return ['.rustup', 'rustup'].map(name => join(beside, name)).find(folder => existsSync(join(folder, 'toolchains')))
}

/** The environment of every child process: ours, plus Rust found, minus what would lead cargo astray. */
export function environment(extra = {}) {
  const env = { ...process.env, PATH: searchPath() }
  const rustup = rustupHome(env.PATH)
  if (rustup) env.RUSTUP_HOME = rustup
  for (const name of ['CARGO_BUILD_TARGET', 'RUSTC', 'RUSTC_WRAPPER', 'RUSTC_WORKSPACE_WRAPPER', 'RUSTUP_TOOLCHAIN'])
    delete env[name]
  Object.assign(
    env,
    { CARGO_TERM_PROGRESS_WHEN: 'never', CARGO_TERM_COLOR: process.stdout.isTTY ? 'auto' : 'never' },
    extra,
  )
  for (const name of Object.keys(env)) if (env[name] === undefined) delete env[name]
  return env
}

/** The version of a crate as Cargo.lock pins it, so that a tool and its library never part. */
export function lockedVersion(crate) {
  const lock = inProject('Cargo.lock')
  if (!existsSync(lock)) throw new Failure('Cargo.lock is missing', 'restore it: git checkout Cargo.lock')
  const found = readFileSync(lock, 'utf8').match(new RegExp(`name = "${crate}"\\nversion = "([^"]+)"`))
  if (!found)
    throw new Failure(
      `Cargo.lock does not name ${crate}`,
      'add the crate to Cargo.toml and run: cargo update --workspace',
    )
  return found[1]
}

export const manifest = () => JSON.parse(readFileSync(inProject('package.json'), 'utf8'))

/** The script of an npm package's command, to be run by this node. */
export function npmCommand(name, script) {
  return inProject('node_modules', name, script)
}
