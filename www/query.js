// The form that asks: field, operator, value, sort, limit.
// Not the asking: it gives a question (filter, sort, limit) to `onAsk`.
import { byId, element } from './element.js'
import { typed } from './format.js'
import { showError } from './notice.js'

const OPERATORS = {
  $eq: 'is', $ne: 'is not', $gt: 'is greater than', $gte: 'is at least', $lt: 'is less than', $lte: 'is at most', $in: 'is one of', $exists: 'is there (true or false)',
}

export class QueryForm {
  #form
  #title

  constructor(onAsk) {
    const fieldOptions = element('datalist', { id: 'fields' })
    const input = (name, label, properties = {}) => element('label', { className: `field ${name}` }, label, element('input', { name, autocomplete: 'off', spellcheck: false, ...properties }))
    const select = (name, label, options) => element('label', { className: `field ${name}` }, label, element('select', { name }, Object.entries(options).map(([value, text]) => element('option', { value }, text))))
    this.#title = element('h2', { id: 'query-title' }, 'Query')
    this.#form = element('form', { onsubmit: event => { event.preventDefault(); this.#submit(onAsk) }, onreset: () => setTimeout(() => this.#submit(onAsk)) },
      input('field', 'Field', { 'list': 'fields', placeholder: 'any' }), select('operator', 'Operator', OPERATORS), input('value', 'Value', { placeholder: 'SFO, 5, 2001-01-14, null' }),
      input('sort', 'Sort by', { 'list': 'fields', placeholder: 'key' }), select('direction', 'Order', { 1: 'ascending', '-1': 'descending' }), input('limit', 'Limit', { inputMode: 'numeric', pattern: '[0-9]*', placeholder: 'none' }),
      element('div', { className: 'actions' }, element('button', { type: 'submit', className: 'primary' }, 'Run'), element('button', { type: 'reset', className: 'quiet' }, 'Clear')), fieldOptions)
    byId('query').replaceChildren(this.#title, this.#form)
  }

  /** Begins anew, for a collection with these fields. */
  show(name, fields) {
    byId('query').hidden = false
    this.#title.textContent = `Query ${name}`
    for (const control of this.#form.elements) {
      if (control instanceof HTMLInputElement) control.value = ''
      if (control instanceof HTMLSelectElement) control.selectedIndex = 0
    }
    this.#form.querySelector('datalist').replaceChildren(...fields.map(value => element('option', { value })))
  }

  #submit(onAsk) {
    const { field, operator, value, sort, direction, limit } = Object.fromEntries(new FormData(this.#form))
    try {
      onAsk({
        filter: field.trim() === '' ? {} : { [field.trim()]: conditionOf(operator, value) },
        sort: sort.trim() === '' ? undefined : [[sort.trim(), Number(direction)]],
        limit: limit.trim() === '' ? undefined : Number(limit),
      })
    } catch (error) {
      showError(error)
    }
  }
}

function conditionOf(operator, text) {
  if (operator === '$in') return { $in: text.split(',').map(part => typed(part.trim())) }
  if (operator === '$exists') return { $exists: text.trim() !== 'false' }
  return { [operator]: typed(text) }
}
