// The Rust side of the set-up: a compiler for WebAssembly and the tools that must match our crates.
// It installs no browser and builds nothing of the project itself.
//
// rustup's own standard library for WebAssembly is taken where it can be had. Elsewhere Debian's compiler builds
// one from Debian's sources (sysroot.mjs).
import { mkdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from './debian.mjs'
import {
  WASM_TARGET,
  WASM_TARGET_FOLDER,
  cache,
  cargoHome,
  environment,
  find,
  inCache,
  isExecutable,
  lockedVersion,
  logFile,
} from './environment.mjs'
import { Failure, capture, logged } from './process.mjs'
import { DEBIAN_COMPILER, buildSysroot, isComplete, sysroot } from './sysroot.mjs'

const RUSTUP_DEADLINE_MS = 90_000
const GECKODRIVER = '0.37.1'

/** How much code a call may be replaced by, in LLVM's units: as with `opt-level = "s"`. See `[profile.release]` in Cargo.toml. */
const INLINE_THRESHOLD = 50

/** `HYPHADB_WASM_STD=debian` leaves rustup's library alone, to try the other way on a machine that has both. */
const mayUseRustup = process.env.HYPHADB_WASM_STD !== 'debian'

const RUST_REMEDY = 'install Rust by rustup (https://rustup.rs): rustup toolchain install stable --profile default'

async function askRustup() {
  const answer = await capture('rustc', ['--print', 'sysroot'], { env: environment() })
  return answer.code === 0 ? { sysroot: answer.stdout.trim() } : { reason: answer.stderr.trim().split('\n')[0] }
}

async function askDebian() {
  if (!isExecutable('/usr/bin/rustc')) return undefined
  const answer = await capture('/usr/bin/rustc', ['--version', '--verbose'], { env: environment() })
  if (answer.code !== 0) return undefined
  const field = name => answer.stdout.match(new RegExp(`^${name}: (.+)$`, 'm'))[1]
  return { version: field('release'), host: field('host') }
}

let answers

/** What the compilers say of themselves; asked once, and again after something was installed. */
async function compilers({ again = false } = {}) {
  if (again) answers = undefined
  answers ??= Promise.all([askRustup(), askDebian()])
  const [rustup, debian] = await answers
  return { rustup, debian }
}

const hasStd = folder => Boolean(folder) && existsSync(join(folder, 'lib/rustlib', WASM_TARGET, 'lib'))

/** The compiler for WebAssembly that is in place: `{ cargo, clippy, env }`, or undefined. */
async function inPlace() {
  const { rustup, debian } = await compilers()
  if (mayUseRustup && hasStd(rustup.sysroot)) return { cargo: 'cargo', clippy: ['cargo'], env: environment() }
  if (!debian || !isComplete(debian.version)) return undefined
  const bin = join(sysroot(debian.version), 'bin')
  return {
    cargo: join(bin, 'cargo'),
    clippy: [join(bin, 'cargo-clippy')],
    env: environment({ CARGO: join(bin, 'cargo'), RUSTC: join(bin, 'rustc'), RUSTDOC: join(bin, 'rustdoc') }),
  }
}

function missing() {
  throw new Failure('there is no compiler for WebAssembly yet', 'run: npm run build')
}

/**
 * A call of cargo for WebAssembly: `{ command, args, env }`. It has a target folder of its own, so that it neither
 * waits for a build of the host nor makes it start over, and where a crate lies on this machine stays out of its bytes.
 * Another crate than ours needs another `folder`.
 */
export async function wasmCargo([verb, ...args], folder = WASM_TARGET_FOLDER) {
  const { cargo, clippy, env } = (await inPlace()) ?? missing()
  const flags = [`--remap-path-prefix=${cargoHome()}=/cargo`, `-Cllvm-args=--inline-threshold=${INLINE_THRESHOLD}`]
  const config = `target.${WASM_TARGET}.rustflags=${JSON.stringify(flags)}`
  const [command, ...first] = verb === 'clippy' ? clippy : [cargo]
  return {
    command,
    args: [...first, verb, '--target', WASM_TARGET, '--target-dir', folder, '--config', config, ...args],
    env,
  }
}

export const tool = (name, version, program) => inCache(`${name}-${version}`, 'bin', program)
export const wasmBindgen = (program = 'wasm-bindgen') => tool('wasm-bindgen', lockedVersion('wasm-bindgen'), program)
export const geckodriver = () => tool('geckodriver', GECKODRIVER, 'geckodriver')

async function addRustupStd() {
  if (!mayUseRustup || !find('rustup', environment().PATH)) return false
  const added = await capture('rustup', ['target', 'add', WASM_TARGET], {
    env: environment(),
    deadlineMs: RUSTUP_DEADLINE_MS,
  })
  return added.code === 0 && hasStd((await compilers()).rustup.sysroot)
}

async function makeStd() {
  if (await addRustupStd()) return
  await installPackages('wasm-std-packages', DEBIAN_COMPILER).catch(error => {
    throw new Failure(error.reason, `${error.remedy}\nor, where rustup has it: rustup target add ${WASM_TARGET}`)
  })
  const { debian } = await compilers({ again: true })
  if (!debian) throw new Failure('/usr/bin/rustc does not run', `reinstall it: apt-get install ${DEBIAN_COMPILER.join(' ')}`)
  await buildSysroot(debian)
}

/** Builds a tool from its crate, barely optimised: it is quicker to build it so than the rest will ever save. */
async function installCrate(name, crate, version, flags) {
  const folder = inCache(`${name}-${version}`)
  await mkdir(cache, { recursive: true })
  await logged(
    'cargo',
    [
      'install', crate, '--version', version, '--root', folder, '--force', '--profile', 'dev',
      '--config', 'profile.dev.debug=0', '--config', 'profile.dev.incremental=false', ...flags,
    ],
    {
      cwd: cache,
      env: environment({ RUSTFLAGS: undefined, CARGO_TARGET_DIR: undefined }),
      log: logFile(name),
      remedy: `check the network, then try by hand: cargo install ${crate} --version ${version} --root ${folder}`,
    },
  )
}

/** The crates in which wasm-bindgen spends its time. */
const BUSY_CRATES = ['walrus', 'wasmparser', 'wasm-encoder', 'wasm-bindgen-cli-support', 'rustc-demangle', 'id-arena']

export const toolchainSteps = [
  {
    name: 'linker',
    lane: 'system',
    why: 'installs the C compiler that Rust links with on the host',
    takes: 'about half a minute',
    check: () => Boolean(find('cc')),
    act: () => installPackages('linker', ['gcc', 'libc6-dev']),
  },
  {
    name: 'rust',
    lane: 'compile',
    needs: ['linker'],
    why: "looking for rustup's stable toolchain",
    takes: 'a moment',
    check: async () => Boolean((await compilers()).rustup.sysroot) && Boolean(find('cargo', environment().PATH)),
    act: async () => {
      const { reason } = (await compilers()).rustup
      throw new Failure(`there is no Rust compiler${reason ? `: ${reason}` : ''}`, RUST_REMEDY)
    },
  },
  {
    name: 'wasm-std',
    lane: 'system',
    needs: ['rust'],
    why: "Rust's standard library for WebAssembly, from rustup or else built with Debian's compiler",
    takes: 'seconds by rustup, else about 4 min',
    check: async () => Boolean(await inPlace()),
    act: makeStd,
  },
  {
    name: 'wasm-bindgen',
    lane: 'compile',
    needs: ['rust'],
    why: 'builds the tools that make the JavaScript glue and run the browser tests',
    takes: 'about 2 min',
    check: () => isExecutable(wasmBindgen()) && isExecutable(wasmBindgen('wasm-bindgen-test-runner')),
    act: () =>
      installCrate('wasm-bindgen', 'wasm-bindgen-cli', lockedVersion('wasm-bindgen'), [
        '--no-default-features',
        ...BUSY_CRATES.flatMap(crate => ['--config', `profile.dev.package.${crate}.opt-level=1`]),
      ]),
  },
  {
    name: 'geckodriver',
    lane: 'compile',
    needs: ['rust'],
    why: "builds Firefox's driver, which Debian does not package",
    takes: 'about 2 min',
    check: () => isExecutable(geckodriver()),
    act: () => installCrate('geckodriver', 'geckodriver', GECKODRIVER, []),
  },
]
