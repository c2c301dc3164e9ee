// `npm run cargo -- check --lib`: cargo for WebAssembly with the compiler that the set-up found or made.
// Builds for the host need no help: plain cargo does.
import { root } from './environment.mjs'
import { Failure, stream } from './process.mjs'
import { command, ensure } from './step.mjs'
import { steps } from './steps.mjs'
import { wasmCargo } from './toolchain.mjs'

command(async args => {
  if (!args.length) throw new Failure('no command for cargo', 'usage: npm run cargo -- check --lib')
  await ensure(steps, ['wasm-std'])
  const call = await wasmCargo(args)
  return stream(call.command, call.args, { cwd: root, env: call.env })
})
