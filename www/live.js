// The live list: the first documents of the question, kept as they change, here or in another tab.
// Not asked for again and again: the database tells what was added, removed and moved.
import { at, inLine, keyText, plural } from './format.js'
import { byId, element } from './element.js'
import { showError } from './notice.js'

const SHOWN = 8

export class LiveList {
  #stop = () => undefined
  #seen = 0

  /** Follows a question: `{ filter, sort }`; `columns` are shown of each document, `key` names it. */
  follow(collection, { filter, sort }, { key, columns }) {
    this.#stop()
    this.#seen = 0
    byId('live').hidden = false
    let cursor = collection.find(filter)
    if (sort !== undefined) cursor = cursor.sort(sort)
    this.#stop = cursor.limit(SHOWN).subscribe({ next: result => this.#show(result, { key, columns }), error: showError })
  }

  #show({ docs, changes }, { key, columns }) {
    const parts = typeof key === 'string' ? [key] : key
    const nameOf = document => keyText(parts.map(part => at(document, part)))
    const isNew = this.#seen++ === 0 ? () => false : document => [...changes.added, ...changes.updated].includes(document)
    byId('live').replaceChildren(
      element('h2', { id: 'live-title' }, 'Live'),
      element('p', { className: 'hint' }, docs.length === 0 ? 'No document matches.' : `The first ${plural(docs.length, 'document')} of the query, as they change.`),
      element('ol', { className: 'live', 'aria-labelledby': 'live-title', 'aria-live': 'polite' }, docs.map(document => element('li', { className: isNew(document) ? 'new' : '' },
        element('strong', {}, nameOf(document)), ' ', columns.slice(0, 3).map(column => inLine(at(document, column))).join(' · ')))),
    )
  }
}
