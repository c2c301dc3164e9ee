// `npm run build`: the crate and the facade become pkg/, the folder that npm ships.
//   cargo → wasm-bindgen → wasm-opt → inline        the engine
//   tsc                                             the facade
//   assemble → size                                 the package
// twice: whole, and under pkg/slim/ the same with an engine that leaves some parts out (features of Cargo.toml).
// `--dev` compiles quicker, and leaves wasm-opt and the slim one out. The mode `named` is the release with the names of its
// functions, for profiles; it lies in target/ and is never shipped. Nothing is installed here but by the steps.
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import {
  WASM_TARGET,
  WASM_TARGET_FOLDER,
  environment,
  inProject,
  lockedVersion,
  manifest,
  npmCommand,
  root,
} from './environment.mjs'
import { shortenImports } from './imports.mjs'
import { tellOfThrows } from './traps.mjs'
import { Failure, stream } from './process.mjs'
import { weigh } from './size.mjs'
import { assemble, between, filesUnder, stage, tell } from './stage.mjs'
import { command, ensure, exclusively, seconds } from './step.mjs'
import { BUILD_STEPS, steps } from './steps.mjs'
import { wasmBindgen, wasmCargo } from './toolchain.mjs'

/** What the compiler may have used; wasm-opt refuses an instruction that it was not told of. */
const WASM_FEATURES = [
  'bulk-memory', 'bulk-memory-opt', 'call-indirect-overlong', 'multivalue', 'mutable-globals', 'nontrapping-float-to-int',
  'reference-types', 'sign-ext', 'simd',
]
/**
 * With little inlining, of which the compiler has done enough: with all of it the wasm is ten kilobytes (brotli) larger.
 * Nothing but the end of the stack lies in the first kilobyte of memory.
 */
export const WASM_OPT = [
  '-O3', '--one-caller-inline-max-function-size=20', '--flexible-inline-max-function-size=6', '--low-memory-unused',
  '--strip-producers',
  ...WASM_FEATURES.map(feature => `--enable-${feature}`),
]

/**
 * The loader is the facade's, so the glue names no file of its own that a bundler would ship a second time; and the
 * loader starts a fresh instance after a trap, by `__wbg_reset_state`.
 */
const WASM_BINDGEN = [
  '--target', 'web', '--out-name', 'engine', '--omit-default-module-path', '--experimental-reset-state-function',
]

/** `opt`: what wasm-opt is told beside `WASM_OPT`; none where it is left out. `pkg`: where the package is put together; `keep`: what
 * is not the build's there. `target`: cargo's folder, where it is another: what two sets of features give has the same name. */
const MODES = {
  release: { profile: 'release', glue: ['--remove-name-section', '--remove-producers-section'], opt: ['--strip-debug'], pkg: inProject('pkg') },
  slim: {
    profile: 'release', cargo: ['--no-default-features'], target: `${WASM_TARGET_FOLDER}-slim`,
    glue: ['--remove-name-section', '--remove-producers-section'], opt: ['--strip-debug'], pkg: inProject('pkg/slim'),
  },
  named: { profile: 'release', glue: ['--remove-producers-section'], opt: ['--debuginfo'], pkg: between('named', 'pkg') },
  dev: { profile: 'wasm-dev', glue: [], pkg: inProject('pkg') },
}

/** Where the package of a mode lies. */
export const packageOf = mode => MODES[mode].pkg

async function run(program, args, env = environment()) {
  const code = await stream(program, args, { cwd: root, env })
  if (code !== 0)
    throw new Failure(
      `${relative(root, program) || program} ${args[0]} ended with code ${code}; its own words are above`,
    )
}

/** cargo knows its inputs best and answers at once when they have not changed. */
async function compile({ profile, cargo = [], target = WASM_TARGET_FOLDER }) {
  const start = performance.now()
  const { command, args, env } = await wasmCargo(['build', '--lib', '--profile', profile, '--quiet', ...cargo], target)
  await run(command, args, env)
  tell('cargo', seconds(start))
  return `${target}/${WASM_TARGET}/${profile}/hyphadb.wasm`
}

async function glue(mode, compiled) {
  const folder = between(mode, 'glue')
  const version = lockedVersion('wasm-bindgen')
  const args = [...WASM_BINDGEN, ...MODES[mode].glue]
  await stage({
    name: 'wasm-bindgen',
    stamp: `${mode}/glue`,
    files: [compiled, inProject('setup/imports.mjs'), inProject('setup/traps.mjs')],
    words: [version, ...args],
    outputs: ['engine.js', 'engine.d.ts', 'engine_bg.wasm'].map(name => `${folder}/${name}`),
    async act() {
      await rm(folder, { recursive: true, force: true })
      await run(wasmBindgen(), [...args, '--out-dir', folder, compiled])
      const files = [`${folder}/engine_bg.wasm`, `${folder}/engine.js`, `${folder}/engine.d.ts`]
      const short = shortenImports(await readFile(files[0]), await readFile(files[1], 'utf8'))
      const { script, types } = tellOfThrows(short.script, await readFile(files[2], 'utf8'))
      await writeFile(files[0], short.wasm)
      await writeFile(files[1], script)
      await writeFile(files[2], types)
    },
  })
  return folder
}

async function optimise(mode, folder) {
  const before = `${folder}/engine_bg.wasm`
  const after = between(mode, 'engine.wasm')
  const { opt } = MODES[mode]
  const flags = opt ? [...WASM_OPT, ...opt] : []
  await stage({
    name: 'wasm-opt',
    stamp: `${mode}/optimise`,
    files: [before],
    words: [manifest().devDependencies.binaryen, ...flags],
    outputs: [after],
    act: () =>
      opt
        ? run(process.execPath, [npmCommand('binaryen', 'bin/wasm-opt'), ...flags, before, '-o', after])
        : copyFile(before, after),
  })
  return after
}

/** The engine as text, for a page whose bundler served something else in the place of engine.wasm. */
async function inline(mode, engine) {
  const script = between(mode, 'engine_inline.js')
  await stage({
    name: 'inline',
    stamp: `${mode}/inline`,
    files: [engine],
    words: ['1'],
    outputs: [script],
    async act() {
      const text = gzipSync(await readFile(engine), { level: 9 }).toString('base64')
      await writeFile(script, `/** engine.wasm, gzip, base64. */\nexport default '${text}'\n`)
    },
  })
  return script
}

const INLINE_TYPES = '/** engine.wasm, gzip, base64. */\ndeclare const engine: string\nexport default engine\n'

/** The types of what is generated lie where tsconfig.json looks for them, whatever the mode. */
async function generatedTypes(folder) {
  const types = between('types')
  await mkdir(types, { recursive: true })
  await copyFile(`${folder}/engine.d.ts`, `${types}/engine.d.ts`)
  await writeFile(`${types}/engine_inline.d.ts`, INLINE_TYPES)
  return types
}

async function facade(types) {
  const folder = between('facade')
  const fresh = between('facade.new')
  await stage({
    name: 'tsc',
    stamp: 'facade',
    words: [manifest().devDependencies.typescript],
    outputs: [folder],
    files: [...(await filesUnder(inProject('src/facade'))), ...(await filesUnder(types)), inProject('tsconfig.json')],
    async act() {
      await rm(fresh, { recursive: true, force: true })
      await run(process.execPath, [
        npmCommand('typescript', 'bin/tsc'),
        '--project',
        inProject('tsconfig.json'),
        '--outDir',
        fresh,
      ])
      await rm(folder, { recursive: true, force: true })
      await rename(fresh, folder)
    },
  })
  return folder
}

async function packageIn(mode) {
  const folder = await glue(mode, await compile(MODES[mode]))
  const engine = await optimise(mode, folder)
  const script = await inline(mode, engine)
  const types = await generatedTypes(folder)
  const compiled = await facade(types)
  const files = new Map((await filesUnder(compiled)).map(file => [relative(compiled, file), file]))
  files.set('engine.wasm', engine).set('engine.js', `${folder}/engine.js`).set('engine_inline.js', script)
  for (const name of ['engine.d.ts', 'engine_inline.d.ts']) files.set(name, `${types}/${name}`)
  await assemble(packageOf(mode), files, ['README.md', 'slim'])
}

/** Builds the package; the steps of BUILD_STEPS have to be in place. `slim`: the slim one as well. */
export async function build({ mode = 'release', slim = mode === 'release' } = {}) {
  const start = performance.now()
  const checkout = createHash('sha256').update(root).digest('hex').slice(0, 12)
  await exclusively(`build-${checkout}`, async () => {
    const modes = slim ? [mode, 'slim'] : [mode]
    for (const each of modes) await packageIn(each)
    if (packageOf(mode) === inProject('pkg')) await weigh({ slim, enforce: MODES[mode].opt !== undefined })
  })
  tell('pkg', `${mode}, ${seconds(start)}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  command(async args => {
    const unknown = args.filter(arg => arg !== '--dev')
    if (unknown.length) throw new Failure(`unknown option ${unknown.join(' ')}`, 'usage: npm run build -- [--dev]')
    await ensure(steps, BUILD_STEPS)
    await build({ mode: args.includes('--dev') ? 'dev' : 'release' })
  })
}
