// What text search costs in Node, on data in memory: filling, searches, and how large the index is.
//
// `node tests/bench/node/text.mjs [part of a name]`, after `npm run build`. Not the benchmark of the product, which runs in a
// browser over IndexedDB. Titles are those of vega-datasets' movies and, beyond, words of theirs drawn as often as in texts
// (Zipf), from a seed.
import { readFile } from 'node:fs/promises'
import { memory, open } from '../../../pkg/entry/node.js'
import { measure } from './measure.mjs'

const COUNT = Number(process.env.COUNT ?? 20_000)
let state = Number(process.env.SEED ?? 1)
const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32

const movies = JSON.parse(await readFile(new URL('../../../node_modules/vega-datasets/data/movies.json', import.meta.url), 'utf8'))
const known = movies.map(({ Title }) => String(Title ?? 'untitled'))
const counts = new Map()
for (const word of known.flatMap(title => title.toLowerCase().match(/\p{L}+/gu) ?? [])) counts.set(word, (counts.get(word) ?? 0) + 1)
const words = [...counts].sort(([, a], [, b]) => b - a).map(([word]) => word)
const weights = words.map((_, place) => 1 / (place + 2))
const total = weights.reduce((sum, weight) => sum + weight)
const draw = () => {
  let left = random() * total
  return words[Math.max(0, weights.findIndex(weight => (left -= weight) < 0))]
}
const titles = Array.from({ length: COUNT }, (_, place) => known[place] ?? Array.from({ length: 2 + Math.floor(random() * 6) }, draw).join(' '))
const docs = titles.map((title, place) => ({ id: `m${String(place).padStart(6, '0')}`, title, year: 1930 + (place % 90) }))

let opened = 0
async function fill(indexes) {
  const db = await open({ name: `bench-${++opened}`, storage: memory(), cacheBytes: 256 * 2 ** 20, collections: { movies: { indexes } } })
  const collection = db.collection('movies')
  const start = performance.now()
  for (let from = 0; from < COUNT; from += 1000) await collection.insertMany(docs.slice(from, from + 1000))
  const spent = performance.now() - start
  return { db, collection, spent }
}

const SPEC = { fields: 'title', type: 'text' }
const spent = { without: [], with: [] }
for (let round = 0; round < 4; round++) {
  for (const [name, indexes] of [['without', []], ['with', [SPEC]]]) {
    const filled = await fill(indexes)
    // The first round compiles.
    if (round > 0) spent[name].push(filled.spent)
    await filled.db.close()
  }
}
const { db, collection } = await fill([SPEC])
await new Promise(resolve => setTimeout(resolve, Number(process.env.SETTLE_MS ?? 2000)))
const each = name => (Math.min(...spent[name]) * 1000 / COUNT).toFixed(1)
console.log(`${COUNT} titles, ${words.length} words; insert ${each('without')} us a document without the index, ${each('with')} with`)

const find = ($search, more = {}) => collection.find({ $text: { $search, ...more } }).limit(20).toArray()
const common = (from, to) => words[from + Math.floor(random() * (to - from))]
await measure('one common word', 200, () => find(words[0]))
await measure('two words', 500, () => find(`${common(20, 300)} ${common(20, 300)}`))
await measure('two common words', 200, () => find(`${common(0, 10)} ${common(0, 10)}`))
await measure('phrase', 200, () => find(`"${words[1]} ${words[0]}"`))
await measure('beginning, 2 letters', 200, () => find(`${common(20, 300).slice(0, 2)}*`))
await measure('beginning, 4 letters', 200, () => find(`${common(20, 300).slice(0, 4)}*`))
const long = words.filter(word => word.length >= 5)
await measure('typo', 200, () => {
  const word = long[Math.floor(random() * 300)]
  return find(word.slice(0, 2) + word.slice(3), { $fuzzy: true })
})
await measure('with another condition', 200, () => collection.find({ $text: { $search: words[3] }, year: { $gte: 2000 } }).limit(20).toArray())
await measure('count', 200, () => collection.find({ $text: { $search: words[0] } }).count())
await measure('first after a write', 100, async () => {
  await collection.updateOne({ id: 'm000001' }, { $inc: { year: 1 } })
  return find(words[300])
})
await measure('the write alone', 100, () => collection.updateOne({ id: 'm000001' }, { $inc: { year: 1 } }))
await db.close()
