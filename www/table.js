// The table of documents: pages pulled from a lazy cursor, with the time and the way of the query.
// Not the whole result: what was not paged to was never asked for.
import { byId, element } from './element.js'
import { at, count, duration, inLine, keyText, kindOf, plural } from './format.js'
import { attempt } from './notice.js'
import { planTree } from './plan.js'

const PAGE = 50
/** A query is measured several times, for the browser's clock is coarse: so often at most, and for so long at most. */
const REPEATS = 20
const REPEATING_MS = 60

export class Table {
  #onOpen
  #onInsert
  #pages = []
  #page = 0
  #documents
  #isDone = false
  #shown
  #run = 0
  #opened
  #showsPlan = false

  /** `onOpen` is told which document was chosen, `onInsert` that a new one is wanted. */
  constructor(onOpen, onInsert) {
    this.#onOpen = onOpen
    this.#onInsert = onInsert
  }

  /** Asks a collection and shows a page of the answer; false where there was none. `repeats`: how often a quick query is measured again. */
  async ask(collection, question, { key, columns, page = 0, repeats = REPEATS }) {
    const run = ++this.#run
    const section = byId('documents')
    section.hidden = false
    section.setAttribute('aria-busy', 'true')
    const isShown = await attempt(async () => {
      const cursor = this.#cursorOf(collection, question)
      const first = cursor.limit(Math.min(PAGE, question.limit ?? PAGE))
      const [time, plan, total] = [await measure(repeats, () => first.toArray()), await first.explain('executionStats'), await cursor.count()]
      if (run !== this.#run) return false
      await this.#documents?.return()
      this.#documents = cursor[Symbol.asyncIterator]()
      ;[this.#pages, this.#page, this.#isDone] = [[], 0, false]
      this.#shown = { collection, key, columns, time, plan, total, question }
      while (this.#pages.length <= page && !this.#isDone) await this.#pull()
      this.#page = Math.max(0, Math.min(page, this.#pages.length - 1))
      if (run === this.#run) this.#show()
      return true
    })
    section.removeAttribute('aria-busy')
    return isShown ?? false
  }

  /** Which page is shown, from 0. */
  get page() {
    return this.#page
  }

  /** Marks the row of the document that is open beside. */
  mark(key) {
    this.#opened = key === undefined ? undefined : keyText(key)
    for (const row of byId('documents').querySelectorAll('tbody tr')) row.classList.toggle('open', row.dataset.key === this.#opened)
  }

  #cursorOf(collection, { filter, sort, limit }) {
    let cursor = collection.find(filter)
    if (sort !== undefined) cursor = cursor.sort(sort)
    if (limit !== undefined) cursor = cursor.limit(limit)
    return cursor
  }

  /** One more page from the cursor. */
  async #pull() {
    const page = []
    while (page.length < PAGE && !this.#isDone) {
      const { done, value } = await this.#documents.next()
      if (done) this.#isDone = true
      else page.push(value)
    }
    if (page.length > 0 || this.#pages.length === 0) this.#pages.push(page)
  }

  async #turnTo(page) {
    await attempt(async () => {
      while (this.#pages.length <= page && !this.#isDone) await this.#pull()
      this.#page = Math.min(page, this.#pages.length - 1)
      this.#show()
      byId('documents').querySelector('.scroll')?.scrollTo({ top: 0 })
    })
  }

  #show() {
    const { plan, time, total, columns, question } = this.#shown
    const documents = this.#pages[this.#page] ?? []
    const focused = document.activeElement?.closest('#documents [data-focus]')?.dataset.focus
    byId('documents').replaceChildren(
      element('div', { className: 'heading' }, element('h2', { id: 'documents-title', tabIndex: -1 }, plural(total, 'document')), this.#pager(total),
        element('button', { type: 'button', id: 'insert', 'data-focus': 'insert', onclick: () => this.#onInsert() }, 'Insert')),
      element('p', { className: 'plan', id: 'plan' }, element('strong', {}, timeOf(time)), ` for the first ${Math.min(PAGE, total)} · ${wayOf(plan, question)}`),
      planTree(plan, this.#showsPlan, isOpen => { this.#showsPlan = isOpen }),
      documents.length === 0
        ? element('p', { className: 'state' }, Object.keys(question.filter).length > 0 ? 'No document matches. Try another value, or clear the query.' : 'This collection is empty. Load its sample data, or insert a document.')
        : element('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': 'Table of documents', 'data-focus': 'table' }, this.#tableOf(documents, columns)),
    )
    if (focused !== undefined) restoreFocus(focused)
  }

  #tableOf(documents, columns) {
    const { key } = this.#shown
    const names = typeof key === 'string' ? key : key.join(' · ')
    return element('table', {},
      element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, names), columns.map(column => element('th', { scope: 'col', className: kindOf(at(documents[0], column)) }, column)))),
      element('tbody', { onkeydown: event => moveFocus(event) }, documents.map(document => this.#row(document, columns))))
  }

  #row(document, columns) {
    const { key } = this.#shown
    const ownKey = typeof key === 'string' ? at(document, key) : key.map(part => at(document, part))
    const text = keyText(ownKey)
    return element('tr', { 'data-key': text, className: text === this.#opened ? 'open' : '' },
      element('th', { scope: 'row' }, element('button', { type: 'button', className: 'link', 'data-focus': `row ${text}`, onclick: () => this.#onOpen(ownKey) }, text)),
      columns.map(column => {
        const value = at(document, column)
        return element('td', { className: kindOf(value), title: inLine(value) }, kindOf(value) === 'null' ? 'null' : inLine(value))
      }))
  }

  #pager(total) {
    const first = this.#page * PAGE
    const last = Math.min(first + PAGE, total)
    const button = (text, page, isThere) => element('button', { type: 'button', 'data-focus': text, onclick: () => this.#turnTo(page), disabled: !isThere }, text)
    return element('div', { className: 'pager', role: 'group', 'aria-label': 'Pages' },
      button('‹ Previous', this.#page - 1, this.#page > 0), element('span', {}, total === 0 ? '0' : `${count(first + 1)} to ${count(last)}`), button('Next ›', this.#page + 1, last < total))
  }
}

/** `by index origin_date, origin = "SFO" · already in order`. */
function wayOf({ plan, index, bounds, sorted, residual }, { sort }) {
  const ways = {
    key: 'by primary key', keys: 'by primary key', primary: 'by a range of primary keys', index: `by index ${index}`, scan: 'by looking at every document', text: `by words in ${index}`,
    union: 'by several ways, each document once', merge: 'by several ranges, merged in order',
  }
  const way = ways[plan] ?? plan
  const range = typeof bounds === 'string' && bounds !== '' ? `, ${bounds}` : ''
  const order = sort === undefined ? undefined : sorted ? 'already in order' : 'sorted afterwards'
  return [way + range, order, residual ? 'each compared with the filter' : undefined].filter(Boolean).join(' · ')
}

/** `890 µs`, and how long the first run took where that was much longer: it had to read from the disk. */
function timeOf({ first, again }) {
  return again < first / 3 ? `${duration(again)} (first ${duration(first)})` : duration(again)
}

/** Milliseconds that `work` takes: the first time, and on average after that. */
async function measure(repeats, work) {
  const start = performance.now()
  await work()
  const first = performance.now() - start
  const restart = performance.now()
  let runs = 0
  while (runs < repeats && performance.now() - restart < REPEATING_MS) {
    await work()
    runs++
  }
  return { first, again: runs === 0 ? first : (performance.now() - restart) / runs }
}

/** Where the focus was before the table was drawn anew; its heading, where that is gone. */
function restoreFocus(focused) {
  const target = byId('documents').querySelector(`[data-focus="${CSS.escape(focused)}"]:not(:disabled)`)
  ;(target ?? byId('documents-title')).focus({ preventScroll: true })
}

/** Arrow keys go from row to row. */
function moveFocus(event) {
  const step = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key]
  const target = step && event.target.closest('tr')?.[step]?.querySelector('button')
  if (!target) return
  event.preventDefault()
  target.focus()
}
