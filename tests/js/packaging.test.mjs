// The package as consumers meet it: linked into a project, imported by Node, bundled by esbuild.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

const PROGRAM = `
import { HyphaError, memory, open } from 'hyphadb'
const db = await open({ name: 'app', storage: memory(), collections: { notes: { key: 'id', indexes: ['at'] } } })
const notes = db.collection('notes')
await notes.insertMany([{ id: 'b', at: new Date(2) }, { id: 'a', at: new Date(1) }])
const found = await notes.find({ at: { $gte: new Date(0) } }).sort({ at: 1 }).toArray()
let code
try { await notes.insertOne({ id: 'a' }) } catch (error) { if (error instanceof HyphaError) code = error.code }
await db.close()
console.log(JSON.stringify({ ids: found.map((note) => note.id), code }))
`
const EXPECTED = { ids: ['a', 'b'], code: 'already_exists' }

let project
before(async () => {
  project = await mkdtemp(join(tmpdir(), 'hyphadb-consumer-'))
  await mkdir(join(project, 'node_modules'))
  await symlink(root, join(project, 'node_modules', 'hyphadb'))
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  await writeFile(join(project, 'main.js'), PROGRAM)
})
after(() => rm(project, { recursive: true, force: true }))

/** Runs a script of the project; what it printed, and what it warned. The process has to end by itself. */
async function node(script) {
  const { stdout, stderr } = await run(process.execPath, [join(project, script)], { cwd: project, timeout: 30_000 })
  return { answer: JSON.parse(stdout), stderr }
}

const bundle = (out, options) => build({
  absWorkingDir: project, entryPoints: ['main.js'], outdir: out, bundle: true, format: 'esm', logLevel: 'silent', metafile: true, minify: true, ...options,
})

test('a linked checkout, imported by Node', async () => {
  const { answer, stderr } = await node('main.js')
  assert.deepEqual(answer, EXPECTED)
  assert.equal(stderr, '')
})

test('the slim package does the same, and says what it is without', async () => {
  await writeFile(join(project, 'slim.js'), PROGRAM.replace("from 'hyphadb'", "from 'hyphadb/slim'"))
  const { answer, stderr } = await node('slim.js')
  assert.deepEqual(answer, EXPECTED)
  assert.equal(stderr, '')
  const { memory, open } = await import('hyphadb/slim')
  const unsupported = { name: 'HyphaError', code: 'unsupported', hint: /import from `hyphadb`/ }
  const db = await open({ name: 'slim', storage: memory(), collections: { notes: { key: 'id' } } })
  const notes = db.collection('notes')
  await assert.rejects(notes.aggregate([{ $count: 'n' }]).toArray(), unsupported)
  await assert.rejects(notes.find({ $expr: { $gt: ['$a', '$b'] } }).toArray(), unsupported)
  await assert.rejects(notes.find({ $text: { $search: 'a' } }).toArray(), unsupported)
  await assert.rejects(notes.createIndex({ fields: 'body', type: 'text' }), unsupported)
  assert.deepEqual(await notes.find({ id: /^a/ }).toArray(), [])
  await db.close()
  const schema = { type: 'object', properties: { n: { type: 'number' } } }
  await assert.rejects(open({ name: 'strict', storage: memory(), collections: { notes: { key: 'id', schema } } }), unsupported)
})

test('bundled for Node, where the bundle has no wasm beside it', async () => {
  await bundle('node-out', { platform: 'node', splitting: true })
  const { answer, stderr } = await node('node-out/main.js')
  assert.deepEqual(answer, EXPECTED)
  assert.match(stderr, /using the copy inside the script/)
})

test('bundled for browsers: no warning, nothing of Node, and the engine as text only in a chunk of its own', async () => {
  const { warnings, metafile } = await bundle('browser-out', { platform: 'browser', splitting: true })
  assert.deepEqual(warnings, [])
  const main = await readFile(join(project, 'browser-out', 'main.js'), 'utf8')
  const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports).filter(({ external }) => external)
  assert.deepEqual(outside, [])
  assert.ok(main.length < 200_000, `${main.length} bytes`)
  const chunks = await readdir(join(project, 'browser-out'))
  assert.ok(chunks.some((name) => name.startsWith('engine_inline')), chunks.join())
  assert.ok(!Object.keys(metafile.outputs['browser-out/main.js'].inputs).some((input) => input.includes('engine_inline')))
  assert.ok(!/\beval\(|new Function\(/.test(main), 'nothing is evaluated from text')
})

test('bundled for browsers and run without the wasm beside it: the engine comes out of its chunk, with a warning', async () => {
  await bundle('alone-out', { platform: 'browser', splitting: true })
  const { answer, stderr } = await node('alone-out/main.js')
  assert.deepEqual(answer, EXPECTED)
  assert.match(stderr, /using the copy inside the script/)
})

test('bundled into one file, with the engine as text in it', async () => {
  await bundle('one-out', { platform: 'browser' })
  assert.deepEqual((await node('one-out/main.js')).answer, EXPECTED)
})

test('bundled for Workers, the wasm stays an imported module', async () => {
  const { metafile } = await bundle('workerd-out', { platform: 'neutral', conditions: ['workerd'], external: ['*.wasm'] })
  const imports = metafile.outputs['workerd-out/main.js'].imports.map(({ path }) => path)
  assert.ok(imports.some((path) => path.endsWith('engine.wasm')), imports.join())
})

for (const [where, options] of Object.entries({
  'Node, without the types of browsers': ['--lib', 'es2022', '--types', 'node', '--typeRoots', join(root, 'node_modules', '@types'), '--module', 'nodenext'],
  'a bundler': ['--lib', 'es2022,dom', '--module', 'esnext', '--moduleResolution', 'bundler'],
})) {
  test(`the types compile in a project for ${where}`, async () => {
    await writeFile(join(project, 'typed.ts'), `
import { memory, open } from 'hyphadb'
interface Note { id: string; at: Date }
const db = await open<{ notes: Note }>({ name: 'app', storage: memory(), collections: { notes: { indexes: ['at'] } } })
for await (const note of db.collection('notes').find({ at: { $gte: new Date(0) } })) note.at.getTime()
await db[Symbol.asyncDispose]()
`)
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    await run(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', ...options, 'typed.ts'], { cwd: project })
      .catch(error => assert.fail(error.stdout))
  })
}

test('only what is imported is bundled', async () => {
  await writeFile(join(project, 'small.js'), "export { HyphaError } from 'hyphadb'")
  const { metafile } = await build({ absWorkingDir: project, entryPoints: ['small.js'], outdir: 'small-out', bundle: true, format: 'esm', platform: 'browser', logLevel: 'silent', metafile: true, minify: true })
  const { bytes } = metafile.outputs['small-out/small.js']
  assert.ok(bytes < 5_000, `${bytes} bytes for one class`)
})

test('the package names its files and no others', async () => {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const conditions = Object.keys(exports['.']).filter((name) => name !== 'types')
  assert.deepEqual(conditions, ['workerd', 'edge-light', 'deno', 'node', 'browser', 'default'])
  for (const path of [...Object.values(exports['.']), exports['./engine.wasm']]) await readFile(join(root, path))
})
