// Types of text search: its index, what is looked for, and how well it was found.
//
// Not code: nothing of this file is left after compiling.

import type { Path } from './paths.js'
import type { Document } from './types.js'

/** An index of the words in texts, for `$text`. A collection has one at most. */
export interface TextIndexSpec<T = Document> {
  /** [the fields, and `text`, joined by `_`] */
  name?: string | undefined
  /** Strings, or arrays of strings. */
  fields: Path<T> | readonly Path<T>[]
  type: 'text'
  /** How much a word counts that stands in a field: a whole number. [1] */
  weights?: { readonly [P in Path<T>]?: number } | undefined
}

/** What to look for. Without a sort, the best matches come first. */
export interface TextSearch {
  /** Words, of which one has to occur; `"a phrase"` that has to; `-left -"left out"`; `begin*`. */
  $search: string
  /** Whether all words have to occur. [false] */
  $all?: boolean
  /** Whether words that are one typo away count too, half as much. [false] */
  $fuzzy?: boolean
}
/** How well a document matches what `$text` looks for. */
export interface TextScore { readonly $meta: 'textScore' }
