// Q7: full-text search over titles: two words of which one at least is there, and the beginning of a word; the best 20.
//
// Which of them are the best is each database's own idea: what is checked is that every title found has such a word, that none
// comes twice, and that there are as many as there can be.
import { chance, spread } from './documents.js'
import { TEXT } from './query_questions.js'
import { Wrong } from './run.js'
import { titles, wordsOf } from './titles.js'

/** The searches: words that are in some title. */
function questions(seed, documents) {
  const random = chance(spread(seed ^ 0x5ea2c))
  const one = list => list[Math.floor(random() * list.length)]
  return Array.from({ length: TEXT.questions }, () => {
    const words = wordsOf(one(documents).title)
    const [first] = words
    return { words: [first, words.find(word => word !== first) ?? first], prefix: one(words).slice(0, TEXT.prefix_letters) }
  })
}

function checkTitles(found, documents, isRight) {
  const wanted = Math.min(TEXT.limit, documents.filter(({ title }) => wordsOf(title).some(isRight)).length)
  if (found.length !== wanted) throw new Wrong(`text: ${found.length} titles, not ${wanted}`)
  if (new Set(found.map(({ id }) => id)).size !== found.length) throw new Wrong('text: a title twice')
  for (const { id, title } of found) {
    if (documents[Number(id.slice(1))].title !== title) throw new Wrong(`text: ${id} is \`${title}\``)
    if (!wordsOf(title).some(isRight)) throw new Wrong(`text: \`${title}\` has no such word`)
  }
}

/** The phase. An adapter whose version has no text index says so by throwing `NotThere`. */
export async function text(run) {
  const openText = await run.opener('Q7', 'openText')
  if (!openText) return
  const documents = titles(run.seed, TEXT.titles)
  let store
  try {
    store = await openText()
  } catch (error) {
    if (error?.name !== 'NotThere') throw error
    run.notes.Q7 = error.message
    return
  }
  for (let from = 0; from < documents.length; from += TEXT.batch) await store.insertMany(documents.slice(from, from + TEXT.batch))
  const asked = questions(run.seed, documents)
  for (const { words } of asked) {
    const found = await run.time('text_words', () => store.search(words, TEXT.limit))
    checkTitles(found, documents, word => words.includes(word))
  }
  for (const { prefix } of asked) {
    const found = await run.time('text_prefix', () => store.prefix(prefix, TEXT.limit))
    checkTitles(found, documents, word => word.startsWith(prefix))
  }
}
