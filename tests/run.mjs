// `npm test`: every kind of test, in order, each set up first. It runs tests and holds none.
//   npm test                      everything
//   npm test -- native browser    only these parts (a name before the colon means all of its kind)
//   npm test -- --list            what there is
import { readdir } from 'node:fs/promises'
import { build } from '../setup/build.mjs'
import { browserEnvironment, drivers, withDisplay } from '../setup/browsers.mjs'
import { environment, inProject, npmCommand, root } from '../setup/environment.mjs'
import { Failure, capture, stream } from '../setup/process.mjs'
import { attempt, command, seconds } from '../setup/step.mjs'
import { BUILD_STEPS, steps } from '../setup/steps.mjs'
import { wasmBindgen, wasmCargo } from '../setup/toolchain.mjs'

const MINUTE_MS = 60_000
const DENY_WARNINGS = ['--', '-D', 'warnings']

async function run(program, args, { env = environment(), deadlineMs = 15 * MINUTE_MS } = {}) {
  const code = await stream(program, args, { cwd: root, env, deadlineMs })
  if (code !== 0) throw new Failure(`ended with code ${code}`)
}

const cargo = (...args) => run('cargo', args)

async function cargoForWasm(...args) {
  const call = await wasmCargo(args)
  await run(call.command, call.args, { env: call.env })
}

async function clippy() {
  await cargo('clippy', '--quiet', '--lib', ...DENY_WARNINGS)
  await cargo('clippy', '--quiet', '--all-targets', '--features', 'simulation', ...DENY_WARNINGS)
  await cargoForWasm('clippy', '--quiet', '--lib', ...DENY_WARNINGS)
  await cargoForWasm('clippy', '--quiet', '--lib', '--no-default-features', ...DENY_WARNINGS)
  await cargoForWasm('clippy', '--quiet', '--lib', '--test', 'browser', '--features', 'simulation', ...DENY_WARNINGS)
}

let packageBuild

/** The package, built at most once in a run, by whichever part comes first. */
function built() {
  packageBuild ??= build()
  return packageBuild
}

async function onPackage(work) {
  await built().catch(() => {
    throw new Failure('the package does not build', 'see first: npm test -- build')
  })
  await work()
}

async function nodeTests(folder, env) {
  const files = (await readdir(inProject(folder)).catch(() => [])).filter(name => name.endsWith('.test.mjs')).sort()
  if (!files.length) throw new Failure(`there is no test in ${folder}/*.test.mjs`)
  await run(
    process.execPath,
    ['--test', '--test-reporter=spec', '--test-concurrency=1', ...files.map(name => `${folder}/${name}`)],
    { env },
  )
}

/** Good code must compile and each line under `@ts-expect-error` must not: the compiler checks both in one go. */
async function types() {
  await run(process.execPath, [
    npmCommand('typescript', 'bin/tsc'),
    '--noEmit',
    '--project',
    inProject('tests/js/types/tsconfig.json'),
  ])
}

async function inBrowser(engine) {
  const test = ['test', '--test', 'browser', '--features', 'simulation']
  await cargoForWasm(...test, '--no-run', '--quiet')
  const call = await wasmCargo(test)
  const line = [call.command, ...call.args]
  const [program, ...args] = engine === 'webkit' ? withDisplay(line) : line
  await run(program, args, {
    env: {
      ...call.env,
      ...drivers[engine](),
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: wasmBindgen('wasm-bindgen-test-runner'),
      WASM_BINDGEN_TEST_TIMEOUT: '600',
      WASM_BINDGEN_TEST_DRIVER_TIMEOUT: '60',
    },
  })
}

const inPages = engine => onPackage(() => nodeTests('tests/pages', browserEnvironment(engine)))

/** What git sees as changed, or undefined outside a checkout. */
async function changes() {
  const status = await capture('git', ['-C', root, 'status', '--porcelain'])
  return status.code === 0 ? status.stdout : undefined
}

let changesBefore

async function tree() {
  const now = await changes()
  if (now === changesBefore) return
  console.log(now)
  throw new Failure(
    'the tests left tracked or new files behind',
    'what is generated belongs under target/ or into .gitignore',
  )
}

const WASM_STEPS = ['rust', 'wasm-std', 'wasm-bindgen']

const parts = [
  { name: 'fmt', about: 'the crate is formatted by rustfmt', needs: ['rust'], run: () => cargo('fmt', '--check') },
  {
    name: 'clippy',
    about: 'no lint of the crate warns, for the host and for WebAssembly',
    needs: ['rust', 'wasm-std'],
    run: clippy,
  },
  {
    name: 'native',
    about: "the crate's tests on the host, the simulator among them",
    needs: ['rust'],
    run: () => cargo('test', '--quiet', '--no-fail-fast', '--features', 'simulation'),
  },
  { name: 'build', about: 'the package builds and keeps its budget of bytes', needs: BUILD_STEPS, run: built },
  {
    name: 'types',
    about: 'what the types promise: good code compiles, bad code does not',
    needs: BUILD_STEPS,
    run: () => onPackage(types),
  },
  {
    name: 'js',
    about: 'the package in node',
    needs: BUILD_STEPS,
    run: () => onPackage(() => nodeTests('tests/js', environment())),
  },
  {
    name: 'browser:chromium',
    about: 'the crate in Chromium, over a real IndexedDB',
    needs: [...WASM_STEPS, 'chromium'],
    run: () => inBrowser('chromium'),
  },
  {
    name: 'browser:firefox',
    about: 'the crate in Firefox',
    needs: [...WASM_STEPS, 'firefox', 'geckodriver'],
    run: () => inBrowser('firefox'),
  },
  {
    name: 'browser:webkit',
    about: 'the crate in WebKitGTK',
    needs: [...WASM_STEPS, 'webkit'],
    run: () => inBrowser('webkit'),
  },
  {
    name: 'pages:chromium',
    about: 'the package on pages in Chromium',
    needs: [...BUILD_STEPS, 'chromium'],
    run: () => inPages('chromium'),
  },
  {
    name: 'pages:firefox',
    about: 'the package on pages in Firefox',
    needs: [...BUILD_STEPS, 'firefox'],
    run: () => inPages('firefox'),
  },
  {
    name: 'tree',
    about: 'the run left nothing behind in the checkout (only in CI, or by name)',
    needs: [],
    run: tree,
    onlyInCi: true,
  },
]

function select(names) {
  if (!names.length) return parts.filter(part => !part.onlyInCi || process.env.CI)
  const isNamed = (part, name) => part.name === name || part.name.startsWith(`${name.replace(/:\*?$/, '')}:`)
  const unknown = names.filter(name => !parts.some(part => isNamed(part, name)))
  if (unknown.length)
    throw new Failure(`no part is called ${unknown.join(', ')}`, 'see what there is: npm test -- --list')
  return parts.filter(part => names.some(name => isNamed(part, name)))
}

async function runPart(part, failures) {
  const start = performance.now()
  console.log(`\n== ${part.name}: ${part.about}`)
  try {
    const missing = part.needs.map(need => failures.get(need)).find(Boolean)
    if (missing) throw missing
    await part.run()
    console.log(`== ${part.name}: ok, ${seconds(start)}`)
    return { part, time: seconds(start) }
  } catch (error) {
    if (!(error instanceof Failure)) console.error(error)
    console.log(
      `== ${part.name}: FAILED, ${seconds(start)}: ${error.message}\n   run it alone: npm test -- ${part.name}`,
    )
    return { part, time: seconds(start), reason: error.message.split('\n')[0] }
  }
}

command(async args => {
  if (args.includes('--list')) {
    for (const { name, about } of parts) console.log(`${name.padEnd(18)}${about}`)
    return 0
  }
  const chosen = select(args)
  changesBefore = await changes()
  const failures = await attempt(steps, [...new Set(chosen.flatMap(part => part.needs))])
  for (const [name, failure] of failures) console.log(`setup  ${name}: FAILED: ${failure.message}`)
  const results = []
  for (const part of chosen) results.push(await runPart(part, failures))
  const failed = results.filter(result => result.reason)
  console.log('\nsummary')
  for (const { part, time, reason } of results)
    console.log(
      `  ${reason ? 'FAILED' : 'ok    '}  ${part.name.padEnd(18)}${time.padStart(9)}${reason ? `  ${reason}` : ''}`,
    )
  console.log(`${results.length - failed.length} passed, ${failed.length} failed`)
  return failed.length ? 1 : 0
})
