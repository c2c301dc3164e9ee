// The box that asks: a filter as JSON, a sort, a limit.
// Not the asking: it gives a question (filter, sort, limit) to `onAsk`.
import { Completion } from './completion.js'
import { byId, element } from './element.js'
import { fromText } from './format.js'
import { showError } from './notice.js'

const ON_FIELDS = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin', '$exists', '$type', '$regex', '$options', '$size', '$all', '$elemMatch', '$mod', '$not']
const ON_DOCUMENTS = ['$and', '$or', '$nor']
/** What takes filters, so that fields are offered within. */
const TAKES_FILTERS = new Set([...ON_DOCUMENTS, '$elemMatch'])
const ROWS = 3

export class QueryForm {
  #form
  #title
  #area
  #examples
  #fields = []

  constructor(onAsk) {
    const input = (name, label, properties = {}) => element('label', { className: `field ${name}` }, label, element('input', { name, autocomplete: 'off', spellcheck: false, ...properties }))
    const submit = () => this.#submit(onAsk)
    this.#title = element('h2', { id: 'query-title' }, 'Query')
    this.#examples = element('p', { className: 'examples', 'aria-label': 'Examples', role: 'group' })
    this.#area = element('textarea', { id: 'filter', name: 'filter', rows: ROWS, spellcheck: false, autocapitalize: 'off', placeholder: '{}', 'aria-describedby': 'filter-hint',
      onkeydown: event => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); submit() } } })
    const completion = new Completion(this.#area, place => this.#offers(place))
    this.#form = element('form', { onsubmit: event => { event.preventDefault(); submit() }, onreset: () => setTimeout(submit) },
      element('div', { className: 'filter' }, element('label', { htmlFor: 'filter' }, 'Filter'), element('div', { className: 'completed' }, this.#area, completion.list),
        element('p', { id: 'filter-hint', className: 'hint' }, 'JSON; a date is {"$date": "2001-01-14"}. Names are completed while you type; Ctrl+Enter runs.')),
      this.#examples,
      input('sort', 'Sort by', { list: 'fields', placeholder: 'key; -date for the latest first' }), input('limit', 'Limit', { inputMode: 'numeric', pattern: '[0-9]*', placeholder: 'none' }),
      element('div', { className: 'actions' }, element('button', { type: 'submit', className: 'primary' }, 'Run'), element('button', { type: 'reset', className: 'quiet' }, 'Clear')),
      element('datalist', { id: 'fields' }))
    byId('query').replaceChildren(this.#title, this.#form)
  }

  /** Begins anew, for a collection with these fields. `examples`: questions with a title. */
  show(name, fields, examples = []) {
    byId('query').hidden = false
    this.#title.textContent = `Query ${name}`
    this.#fields = fields
    this.#form.querySelector('datalist').replaceChildren(...fields.map(value => element('option', { value })))
    this.#fill({ filter: '', sort: '', limit: '' })
    this.#examples.hidden = examples.length === 0
    this.#examples.replaceChildren(...examples.map(({ title, filter, sort }) => element('button', { type: 'button', className: 'example', onclick: () => {
      this.#fill({ filter: JSON.stringify(filter), sort: sort ?? '', limit: '' })
      this.#form.requestSubmit()
    } }, title)))
  }

  #fill(texts) {
    for (const [name, text] of Object.entries(texts)) this.#form.elements[name].value = text
  }

  /** Fields where a filter is written, operators behind a field. */
  #offers({ under, typed }) {
    const inFilter = under.length === 0 || TAKES_FILTERS.has(under.at(-1))
    if (!inFilter) return ON_FIELDS
    return typed.startsWith('$') ? ON_DOCUMENTS : [...this.#fields, ...ON_DOCUMENTS]
  }

  #submit(onAsk) {
    const { filter, sort, limit } = Object.fromEntries(new FormData(this.#form))
    try {
      this.#area.setAttribute('aria-invalid', 'false')
      onAsk({
        filter: filterOf(filter),
        sort: sort.trim() === '' ? undefined : sort.split(',').map(part => [part.trim().replace(/^-/, ''), part.trim().startsWith('-') ? -1 : 1]),
        limit: limit.trim() === '' ? undefined : Number(limit),
      })
    } catch (error) {
      this.#area.setAttribute('aria-invalid', 'true')
      this.#area.focus()
      showError(error)
    }
  }
}

function filterOf(text) {
  if (text.trim() === '') return {}
  try {
    return fromText(text)
  } catch (error) {
    throw new Error(`the filter is no JSON: ${error.message}`)
  }
}
