// Text search in real tabs over IndexedDB: what one tab writes is found by the other, with the same scores, and again later.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, newProfile, openTab } from './browser.mjs'
import { startSite } from './site.mjs'

let site, browser

before(async () => {
  site = await startSite()
  browser = await launch({ profile: await newProfile() })
})

after(async () => {
  await browser?.close()
  await site?.close()
})

/** In a tab: opens the library, writes titles, and searches. */
async function inTab({ titles, search }) {
  const { open } = await import('/pkg/index.js')
  const indexes = [{ fields: 'title', type: 'text' }]
  globalThis.db ??= await open({ name: 'library', collections: { books: { indexes } } })
  const books = globalThis.db.collection('books')
  if (titles.length > 0) await books.insertMany(titles.map(title => ({ title })))
  const score = { $meta: 'textScore' }
  return books.find({ $text: search }).project({ title: 1, id: 0, score }).toArray()
}

test('two tabs and a reload find the same, the best first', async () => {
  const [one, other] = [await openTab(browser, site), await openTab(browser, site)]
  const search = { $search: 'jazz "new york" pian*', $fuzzy: true }
  await one.evaluate(inTab, { titles: ['New York Jazz', 'Jazz piano of New York, New York', 'Jazz'], search })
  const titles = Array.from({ length: 3000 }, (_, n) => `Title ${n} of ${n % 7 ? 'new' : 'York'}`)
  const found = await other.evaluate(inTab, { titles: ['The Jaz Age in New York', ...titles], search })
  assert.deepEqual(found.map(({ title }) => title), ['Jazz piano of New York, New York', 'New York Jazz', 'The Jaz Age in New York'])
  await one.reload()
  assert.deepEqual(await one.evaluate(inTab, { titles: [], search }), found)
})
