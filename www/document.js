// One document: as a tree to read, as text to change; new ones too.
// Not a validator: what cannot be stored, the database says.
import { byId, element } from './element.js'
import { count, fromText, inLine, keyText, kindOf, toText } from './format.js'
import { attempt, showNews } from './notice.js'

/** Below this many fields a part of the tree is open from the beginning. */
const OPEN_FIELDS_MAX = 12

export class DocumentPanel {
  #collection
  #key
  #keyFields
  #onClose
  #isEditing = false

  /** `onClose` is told when no document is open any more. */
  constructor(onClose) {
    this.#onClose = onClose
  }

  /** Shows a document by its key. */
  async open(collection, keyFields, key, { focus = true } = {}) {
    ;[this.#collection, this.#keyFields, this.#key, this.#isEditing] = [collection, keyFields, key, false]
    await attempt(async () => {
      const document = await collection.get(key)
      if (document === undefined) this.#gone()
      else this.#show(document, focus)
    })
  }

  /** Shows the state of now, unless it is being edited. */
  async refresh() {
    if (this.#key === undefined || this.#isEditing) return
    await this.open(this.#collection, this.#keyFields, this.#key, { focus: false })
  }

  /** A form for a new document. */
  create(collection, keyFields, example) {
    ;[this.#collection, this.#keyFields, this.#key] = [collection, keyFields, undefined]
    this.#edit(`New document in ${collection.name}`, toText(example), 'Insert', async document => {
      const { insertedId } = await collection.insertOne(document)
      showNews(`Inserted ${keyText(insertedId)}.`)
      return insertedId
    })
  }

  close() {
    this.#key = undefined
    this.#isEditing = false
    byId('document').hidden = true
    this.#onClose()
  }

  #frame(title, focus, ...children) {
    const panel = byId('document')
    panel.hidden = false
    const heading = element('h2', { id: 'document-title', tabIndex: -1 }, title)
    panel.replaceChildren(element('div', { className: 'heading' }, heading, element('button', { type: 'button', className: 'quiet', 'aria-label': 'Close the document', onclick: () => this.close() }, '×')), ...children.filter(Boolean))
    if (focus) heading.focus({ preventScroll: window.innerWidth > 900 })
  }

  #show(document, focus) {
    this.#frame(keyText(this.#key), focus, element('div', { className: 'tree' }, treeOf(document)), element('div', { className: 'actions' },
      element('button', { type: 'button', onclick: () => this.#editOpen(document) }, 'Edit'), element('button', { type: 'button', className: 'danger', onclick: () => this.#delete() }, 'Delete')))
  }

  #gone() {
    this.#frame(keyText(this.#key), false, element('p', { className: 'state' }, 'This document is not there any more.'))
  }

  #editOpen(document) {
    const key = this.#key
    const filter = Object.fromEntries([this.#keyFields].flat().map((field, n) => [field, Array.isArray(this.#keyFields) ? key[n] : key]))
    this.#edit(`Edit ${keyText(key)}`, toText(document), 'Save', async changed => {
      const { matchedCount } = await this.#collection.replaceOne(filter, changed)
      showNews(matchedCount === 0 ? `${keyText(key)} was deleted meanwhile; nothing was saved.` : `Saved ${keyText(key)}.`)
      return key
    })
  }

  #edit(title, text, verb, save) {
    this.#isEditing = true
    const area = element('textarea', { value: text, spellcheck: false, rows: Math.min(24, text.split('\n').length + 1), 'aria-labelledby': 'document-title', 'aria-describedby': 'editing-hint' })
    const submit = async event => {
      event.preventDefault()
      const key = await attempt(() => save(fromText(area.value)))
      if (key !== undefined) await this.open(this.#collection, this.#keyFields, key)
    }
    const cancel = () => (this.#key === undefined ? this.close() : this.open(this.#collection, this.#keyFields, this.#key))
    this.#frame(title, false, element('form', { onsubmit: submit }, area,
      element('p', { className: 'hint', id: 'editing-hint' }, 'JSON; dates as {"$date": "2001-01-14T21:55:00Z"}, likewise $bigint and $bytes.'),
      element('div', { className: 'actions' }, element('button', { type: 'submit', className: 'primary' }, verb), element('button', { type: 'button', onclick: cancel }, 'Cancel'))))
    area.focus({ preventScroll: window.innerWidth > 900 })
  }

  async #delete() {
    if (!window.confirm(`Delete ${keyText(this.#key)}?`)) return
    const key = this.#key
    const result = await attempt(() => this.#collection.bulkDelete([key]))
    if (result === undefined) return
    showNews(`Deleted ${keyText(key)}.`)
    this.close()
  }
}

function treeOf(value) {
  return element('ul', {}, Object.entries(value).map(([name, field]) => element('li', {}, branch(name, field))))
}

function branch(name, value) {
  const kind = kindOf(value)
  const label = element('span', { className: 'name' }, name)
  if (kind !== 'object' && kind !== 'array') return [label, ' ', element('span', { className: `value ${kind}`, title: kind }, kind === 'string' ? value : inLine(value))]
  const size = Object.keys(value).length
  if (size === 0) return [label, ' ', element('span', { className: 'value' }, kind === 'array' ? '[]' : '{}')]
  return element('details', { open: size <= OPEN_FIELDS_MAX }, element('summary', {}, label, element('span', { className: 'hint' }, ` ${kind}, ${count(size)}`)), treeOf(value))
}
