// How the sources of the facade and of the page are written, as far as a program can tell.
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const LINES_MAX = 500
const COLUMNS_MAX = 240

async function sources(folder, ending) {
  const names = (await readdir(join(root, folder), { recursive: true })).filter(name => name.endsWith(ending)).sort()
  return Promise.all(names.map(async name => ({ path: join(folder, name), text: await readFile(join(root, folder, name), 'utf8') })))
}

const facade = await sources('src/facade', '.ts')
const page = [...await sources('www', '.js'), ...await sources('www', '.mjs')]

describe('every file', () => {
  for (const { path, text } of [...facade, ...page]) {
    test(path, () => {
      assert.match(text, /^(\/\/\/ <.*\n)?\/\/ [A-Z].*[.:]\n/, 'begins by saying what it is')
      assert.ok(text.split('\n').length <= LINES_MAX, `has more than ${LINES_MAX} lines`)
      assert.ok(text.split('\n').every(line => line.length <= COLUMNS_MAX), `has a line of more than ${COLUMNS_MAX} columns`)
      assert.doesNotMatch(text, /\beval\(|new Function\(|\bdebugger\b|TODO|FIXME|[ \t]\n/)
      assert.doesNotMatch(text, /^(?:const .* = )?await /m, 'nothing is awaited at the top level')
    })
  }
})

test('no file of the facade imports itself, by whatever way', () => {
  const imports = new Map(facade.map(({ path, text }) => [path, [...text.matchAll(/^(?:import|export) (?!type\b)[^'"]*?from '(\.[^']+)'/gm)]
    .map(([, to]) => normalize(join(dirname(path), to)).replace(/\.js$/, '.ts')).filter(to => facade.some(file => file.path === to))]))
  const visit = (path, way) => {
    assert.ok(!way.includes(path), [...way, path].join(' > '))
    for (const to of imports.get(path)) visit(to, [...way, path])
  }
  for (const path of imports.keys()) visit(path, [])
})

test('few files know the glue', () => {
  const callers = facade.filter(({ text }) => /'\.\.?\/(engine|engine_inline|boundary)\.js'/.test(text)).map(({ path }) => path.split('/').at(-1))
  assert.deepEqual(callers, ['connection.ts', 'glue.ts', 'instance.ts', 'load.ts', 'remote.ts', 'server.ts', 'transaction.ts'])
})

test('the page uses nothing but the public entry', () => {
  for (const { path, text } of page) {
    for (const [, from] of text.matchAll(/from '(\/pkg\/[^']+)'/g)) assert.equal(from, '/pkg/index.js', path)
  }
})
