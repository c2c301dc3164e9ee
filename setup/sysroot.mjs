// A private sysroot in the cache: Debian's compiler with a standard library for WebAssembly that it built itself.
// For machines where rustup cannot bring one. Nothing outside the cache is changed.
import { copyFile, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { WASM_TARGET, environment, inCache, logFile } from './environment.mjs'
import { logged } from './process.mjs'

export const DEBIAN_COMPILER = ['rustc-web', 'cargo-web', 'rust-web-src', 'rust-web-clippy', 'lld-22']
const SOURCES = '/usr/lib/rustlib'

/** The folder of the sysroot for one version of the compiler. */
export const sysroot = version => inCache(`rust-web-${version}`)
export const isComplete = version => existsSync(join(sysroot(version), 'complete'))

/** A program that runs another with a sysroot of ours. The clippy driver takes it from a variable, the others from a flag. */
async function wrap(file, program, folder) {
  const line = program.endsWith('clippy-driver')
    ? `SYSROOT="${folder}" exec ${program} "$@"`
    : `exec ${program} --sysroot "${folder}" "$@"`
  await writeFile(file, `#!/bin/sh\n${line}\n`, { mode: 0o755 })
}

async function layOut(folder, host) {
  const bin = join(folder, 'bin')
  const library = join(folder, 'lib/rustlib')
  await rm(folder, { recursive: true, force: true })
  for (const path of [bin, join(library, host, 'bin'), join(library, WASM_TARGET, 'lib'), join(folder, 'std/src')]) {
    await mkdir(path, { recursive: true })
  }
  for (const program of ['rustc', 'rustdoc', 'clippy-driver'])
    await wrap(join(bin, program), `/usr/bin/${program}`, folder)
  await symlink('/usr/bin/cargo', join(bin, 'cargo'))
  // A copy, because cargo-clippy runs the driver that lies beside its own file.
  await copyFile('/usr/bin/cargo-clippy', join(bin, 'cargo-clippy'))
  await symlink(join(SOURCES, host, 'lib'), join(library, host, 'lib'))
  for (const name of ['src', 'etc']) await symlink(join(SOURCES, name), join(library, name))
  await symlink('/usr/bin/lld-22', join(library, host, 'bin/rust-lld'))
}

const EMPTY_CRATE = `[package]
name = "empty"
version = "0.0.0"
edition = "2021"
[workspace]
[profile.release]
panic = "abort"
codegen-units = 1
opt-level = 3
`

/** Builds the standard library once, by way of an empty crate, and keeps its rlibs. */
export async function buildSysroot({ version, host }) {
  const folder = sysroot(version)
  await layOut(folder, host)
  const std = join(folder, 'std')
  await writeFile(join(std, 'Cargo.toml'), EMPTY_CRATE)
  await writeFile(join(std, 'src/lib.rs'), '#![no_std]\n')
  const remap = `--remap-path-prefix=${SOURCES}/src/rust=/rustc/${version}`
  await logged(
    '/usr/bin/cargo',
    [
      'build', '--release', '--target', WASM_TARGET, '--target-dir', join(std, 'target'),
      '-Z', 'build-std=std,panic_abort,proc_macro,test',
    ],
    {
      cwd: std,
      // The variable unlocks -Z build-std of a stable compiler for this one build; no build of ours uses it.
      env: environment({ RUSTC: '/usr/bin/rustc', RUSTC_BOOTSTRAP: '1', RUSTFLAGS: `-Cembed-bitcode=yes ${remap}` }),
      log: logFile('wasm-std'),
      remedy: 'check the network (the library has dependencies of its own) and run the command again',
    },
  )
  const built = join(std, 'target', WASM_TARGET, 'release/deps')
  for (const file of await readdir(built)) {
    if (/^lib.*\.rlib$/.test(file) && !file.startsWith('libempty-'))
      await copyFile(join(built, file), join(folder, 'lib/rustlib', WASM_TARGET, 'lib', file))
  }
  await rm(std, { recursive: true })
  await writeFile(join(folder, 'complete'), `${version}\n`)
}
