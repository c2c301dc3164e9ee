// Titles to search in: made-up words, few of them common and most of them rare, as words are.
//
// Not stored anywhere: the same seed gives the same titles.
import { chance, spread } from './documents.js'

const ONSETS = ['b', 'br', 'c', 'ch', 'd', 'dr', 'f', 'fl', 'g', 'gr', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'pl', 'r', 's', 'st', 't', 'tr', 'v', 'w', 'z']
const VOWELS = ['a', 'e', 'i', 'o', 'u', 'ai', 'ea', 'ou']
const CODAS = ['', '', 'l', 'n', 'r', 's', 't', 'nd', 'st', 'm']
const WORDS = 8_000
const WORDS_LEAST = 3
const WORDS_MOST = 8

const below = (random, limit) => Math.floor(random() * limit)
const one = (random, list) => list[below(random, list.length)]

function vocabulary(random) {
  const words = new Set()
  while (words.size < WORDS) {
    const syllables = 1 + below(random, 3)
    words.add(Array.from({ length: syllables }, () => one(random, ONSETS) + one(random, VOWELS) + one(random, CODAS)).join(''))
  }
  return [...words]
}

/** So many titles of a seed: `{ id, title }`. The word at place n is about n times as rare as the first. */
export function titles(seed, count) {
  const random = chance(spread(seed ^ 0x7171e5))
  const words = vocabulary(random)
  return Array.from({ length: count }, (_, number) => {
    const length = WORDS_LEAST + below(random, WORDS_MOST - WORDS_LEAST + 1)
    const title = Array.from({ length }, () => words[Math.floor(WORDS ** random()) - 1]).join(' ')
    return { id: `t${number}`, title: title[0].toUpperCase() + title.slice(1) }
  })
}

/** The words of a title, as they are searched. */
export const wordsOf = title => title.toLowerCase().split(' ')
