// A live query of one tab, while the other writes; and React, in a page.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { launch, newProfile, openTab } from './browser.mjs'
import { startSite } from './site.mjs'

let site, browser, tab, other

before(async () => {
  const wasm = await readFile(new URL('../../pkg/engine.wasm', import.meta.url))
  // Beside the bundle, as bundlers put it.
  site = await startSite({ '/react.js': await reactPage(), '/engine.wasm': wasm })
  browser = await launch({ profile: await newProfile() })
  ;[tab, other] = [await openTab(browser, site), await openTab(browser, site)]
})

after(async () => {
  await browser?.close()
  await site?.close()
})

/** A component that shows a live list, with React beside it; the package is the one that is served. */
async function reactPage() {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const contents = `
    import { createElement, StrictMode } from 'react'
    import { createRoot } from 'react-dom/client'
    import { open } from '/pkg/index.js'
    import { useLiveQuery } from '/pkg/entry/react.js'
    function List({ notes, kind }) {
      const { status, data, error } = useLiveQuery(() => notes.find({ kind }).sort({ id: 1 }), [notes, kind])
      return createElement('ul', { title: status }, error?.code, data?.map(({ id, text }) => createElement('li', { key: id }, text)))
    }
    export { createElement, createRoot, List, open, StrictMode }`
  const served = { name: 'served', setup: ({ onResolve }) => onResolve({ filter: /^\/pkg\// }, ({ path }) => ({ path: root + path.slice(1) })) }
  const options = { stdin: { contents, resolveDir: root }, plugins: [served], bundle: true, minify: true, format: 'esm', write: false, logLevel: 'error', define: { 'process.env.NODE_ENV': '"production"' } }
  return (await build(options)).outputFiles[0].contents
}

test('what one tab writes is seen live by the other', async () => {
  await tab.evaluate(async () => {
    const { openForTest } = await import('/work.js')
    globalThis.db = await openForTest('live')
    globalThis.heard = []
    globalThis.counts = []
    db.collection('entries').aggregate([{ $match: { round: { $gte: 2 } } }, { $count: 'n' }]).subscribe(({ docs }) => counts.push(docs[0]?.n ?? 0))
    db.collection('entries').find({ round: { $gte: 1 } }).sort({ round: -1 }).limit(2)
      .subscribe(({ docs, changes }) => heard.push({ ids: docs.map(({ id }) => id), added: changes.added.length, same: docs.includes(globalThis.first) && !!(globalThis.first = docs[0]) || !(globalThis.first = docs[0]) }))
  })
  await other.evaluate(async () => {
    const { openForTest } = await import('/work.js')
    globalThis.db = await openForTest('live')
    const entries = db.collection('entries')
    await entries.insertOne({ id: 'a', round: 1 })
    await entries.insertMany([{ id: 'b', round: 2 }, { id: 'c', round: 3 }])
    await entries.deleteOne({ id: 'c' })
  })
  const { heard, counts } = await tab.evaluate(async () => {
    const deadline = performance.now() + 5_000
    while (performance.now() < deadline && (heard.at(-1)?.ids.join() !== 'b,a' || counts.at(-1) !== 1)) await new Promise(resolve => setTimeout(resolve, 10))
    return { heard, counts }
  })
  assert.deepEqual([counts[0], counts.at(-1)], [0, 1], 'of a pipeline too')
  assert.deepEqual(heard.map(({ ids }) => ids.join()), ['', 'a', 'c,b', 'b,a'])
  await Promise.all([tab, other].map(page => page.evaluate(() => db.close())))
  assert.deepEqual([...tab.errors, ...other.errors], [])
})

test('a component shows what there is, and what comes', async () => {
  const shown = await tab.evaluate(async () => {
    const { createElement, createRoot, List, open, StrictMode } = await import('/react.js')
    const db = await open({ name: 'react', collections: { notes: { key: 'id' } } })
    const notes = db.collection('notes')
    const place = document.body.appendChild(document.createElement('div'))
    const root = createRoot(place)
    const states = []
    const until = async wanted => {
      const deadline = performance.now() + 5_000
      const now = () => `${place.firstChild?.title}: ${place.textContent}`
      while (performance.now() < deadline && now() !== wanted) await new Promise(resolve => setTimeout(resolve, 5))
      states.push(now())
    }
    const render = kind => root.render(createElement(StrictMode, {}, createElement(List, { notes, kind })))
    render('a')
    await until('ready: ')
    await notes.insertMany([{ id: 1, kind: 'a', text: 'one ' }, { id: 2, kind: 'b', text: 'two ' }])
    await until('ready: one ')
    render('b')
    await until('ready: two ')
    await notes.updateOne({ id: 1 }, { $set: { kind: 'b' } })
    await until('ready: one two ')
    render({ $near: 1 })
    await until('error: unsupported')
    root.unmount()
    await db.close()
    return states
  })
  assert.deepEqual(shown, ['ready: ', 'ready: one ', 'ready: two ', 'ready: one two ', 'error: unsupported'])
  assert.deepEqual(tab.errors, [])
})
