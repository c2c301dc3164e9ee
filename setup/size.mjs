// What the package costs whoever downloads it, against the budget in package.json.
// Counted is what an entry loads before its first answer: the engine and the JavaScript it imports
// statically, bundled and minified; what it imports on demand is not.
import { readFile } from 'node:fs/promises'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { inProject, manifest } from './environment.mjs'
import { Failure } from './process.mjs'

const kilobytes = bytes => `${(bytes / 1000).toFixed(1)} kB`.padStart(10)

function measure(name, parts) {
  const total = weigh => parts.reduce((sum, part) => sum + weigh(part), 0)
  return {
    name,
    raw: total(part => part.length),
    gzip: total(part => gzipSync(part, { level: 9 }).length),
    brotli: total(part => brotliCompressSync(part).length),
  }
}

/** The chunks that these outputs import statically, themselves among them. */
function staticChunks(outputs, names) {
  const found = new Set()
  const visit = name => {
    if (found.has(name)) return
    found.add(name)
    for (const { path, kind, external } of outputs[name].imports)
      if (kind === 'import-statement' && !external) visit(path)
  }
  names.forEach(visit)
  return found
}

/** The scripts that an entry loads at once. `entry`: its name in package.json. */
async function scriptsOf(entry) {
  const { build } = await import('esbuild')
  const file = manifest().exports[entry].default
  const { metafile, outputFiles } = await build({
    entryPoints: [inProject(file)],
    absWorkingDir: inProject(),
    outdir: 'target/pkg/bundle',
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: ['*.wasm'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  }).catch(error => {
    throw new Failure(`${file} cannot be bundled: ${error.message}`)
  })
  const entries = Object.keys(metafile.outputs).filter(name => /(^|\/)browser\.js$/.test(name))
  const chunks = staticChunks(metafile.outputs, entries)
  return outputFiles.filter(file => [...chunks].some(name => inProject(name) === file.path)).map(file => file.contents)
}

/** Prints the sizes; throws where they are above the budget and `enforce` is set. `slim`: of the slim entry too. */
export async function weigh({ slim, enforce }) {
  const { brotli_bytes, slim_brotli_bytes } = manifest().hyphadb.budget
  await weighEntry({ entry: '.', wasm: 'pkg/engine.wasm', budget: brotli_bytes, enforce })
  if (slim) await weighEntry({ entry: './slim', wasm: 'pkg/slim/engine.wasm', budget: slim_brotli_bytes, enforce })
}

async function weighEntry({ entry, wasm, budget, enforce }) {
  const name = entry.replace(/^\./, 'hyphadb')
  const rows = [measure('engine.wasm', [await readFile(inProject(wasm))]), measure('JavaScript', await scriptsOf(entry))]
  const sum = field => rows.reduce((total, row) => total + row[field], 0)
  const together = { name, raw: sum('raw'), gzip: sum('gzip'), brotli: sum('brotli') }
  rows.push(together)
  for (const { name, raw, gzip, brotli } of rows) {
    console.log(`size   ${name.padEnd(12)} raw${kilobytes(raw)}   gzip${kilobytes(gzip)}   brotli${kilobytes(brotli)}`)
  }
  const share = `${kilobytes(together.brotli).trim()} of ${kilobytes(budget).trim()} brotli`
  if (enforce && together.brotli > budget) {
    throw new Failure(
      `the entry ${name} is over its budget: ${share}`,
      'make it smaller, or change hyphadb.budget in package.json and say why',
    )
  }
  console.log(`size   budget: ${share}${enforce ? '' : ' (a quick build is not held to it)'}`)
}
