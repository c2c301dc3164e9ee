// The wasm of the codec comparison: built by the project's own tools and flags, into target/, apart from the product's.
import { mkdir, rm } from 'node:fs/promises'
import { WASM_OPT } from '../../../setup/build.mjs'
import { WASM_TARGET, environment, inProject, npmCommand } from '../../../setup/environment.mjs'
import { Failure, stream } from '../../../setup/process.mjs'
import { wasmBindgen, wasmCargo } from '../../../setup/toolchain.mjs'

const FOLDER = inProject('target/bench-codec')
const CRATE = inProject('tests/bench/codec/Cargo.toml')

async function run(program, args, env = environment()) {
  const code = await stream(program, args, { env })
  if (code !== 0) throw new Failure(`${program} ended with code ${code}; its own words are above`)
}

/** Builds it; answers with the folder that holds `engine.js` and `engine.wasm`. */
export async function buildWays() {
  const glue = `${FOLDER}/glue`
  const cargo = await wasmCargo(['build', '--release', '--quiet', '--manifest-path', CRATE], FOLDER)
  await run(cargo.command, cargo.args, cargo.env)
  await rm(glue, { recursive: true, force: true })
  await mkdir(glue, { recursive: true })
  const compiled = `${FOLDER}/${WASM_TARGET}/release/hyphadb_bench_codec.wasm`
  await run(wasmBindgen(), ['--target', 'web', '--out-name', 'engine', '--omit-default-module-path', '--remove-name-section', '--out-dir', glue, compiled])
  await run(process.execPath, [npmCommand('binaryen', 'bin/wasm-opt'), ...WASM_OPT, '--strip-debug', `${glue}/engine_bg.wasm`, '-o', `${glue}/engine.wasm`])
  return glue
}
