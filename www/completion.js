// Completion in a text of JSON: names of fields and operators, offered while a filter is typed.
// Not a check of the text: what is wrong in it is told when it is run.
// The keys are those of any list under a text: arrows choose, Enter and Tab take, Escape closes.
import { element } from './element.js'

const SHOWN_MAX = 8

export class Completion {
  #area
  #list
  #offers
  #place
  #chosen = 0

  /** `offers(place)` answers names for a key, from the path of fields that it stands in. */
  constructor(area, offers) {
    this.#area = area
    this.#offers = offers
    this.#list = element('ul', { id: `${area.id}-offers`, className: 'offers', role: 'listbox', hidden: true, 'aria-label': 'Completions' })
    for (const [name, value] of Object.entries({ role: 'combobox', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': this.#list.id, 'aria-haspopup': 'listbox' })) area.setAttribute(name, value)
    area.addEventListener('input', () => this.#offer())
    area.addEventListener('click', () => this.close())
    area.addEventListener('blur', () => this.close())
    area.addEventListener('keydown', event => this.#key(event))
  }

  /** The list, to be put under the text. */
  get list() {
    return this.#list
  }

  close() {
    this.#list.hidden = true
    this.#area.setAttribute('aria-expanded', 'false')
    this.#area.removeAttribute('aria-activedescendant')
  }

  #offer() {
    const { value, selectionStart, selectionEnd } = this.#area
    this.#place = selectionStart === selectionEnd ? placeOf(value, selectionStart) : undefined
    const names = this.#place === undefined ? [] : ranked(this.#offers(this.#place), this.#place.typed).slice(0, SHOWN_MAX)
    if (names.length === 0) return this.close()
    this.#chosen = 0
    this.#list.replaceChildren(...names.map((name, n) => element('li', {
      id: `${this.#list.id}-${n}`, role: 'option', 'aria-selected': String(n === 0),
      // The text keeps the focus.
      onmousedown: event => { event.preventDefault(); this.#take(name) },
    }, name)))
    this.#list.hidden = false
    this.#area.setAttribute('aria-expanded', 'true')
    this.#mark()
  }

  #mark() {
    for (const [n, option] of [...this.#list.children].entries()) option.setAttribute('aria-selected', String(n === this.#chosen))
    const chosen = this.#list.children[this.#chosen]
    this.#area.setAttribute('aria-activedescendant', chosen.id)
    chosen.scrollIntoView({ block: 'nearest' })
  }

  #key(event) {
    if (this.#list.hidden) return
    const options = this.#list.children
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) {
      this.#chosen = (this.#chosen + step + options.length) % options.length
      this.#mark()
    } else if ((event.key === 'Enter' && !event.ctrlKey && !event.metaKey) || event.key === 'Tab') {
      this.#take(options[this.#chosen].textContent)
    } else if (event.key === 'Escape') {
      this.close()
    } else {
      return
    }
    event.preventDefault()
    event.stopPropagation()
  }

  /** Puts the name where it was begun, in quotes, with the colon. */
  #take(name) {
    const { start } = this.#place
    const { value, selectionStart } = this.#area
    const rest = value.slice(selectionStart).replace(/^[\w.$ ]*"/, '')
    const colon = /^\s*:/.test(rest) ? '' : ': '
    const taken = `${JSON.stringify(name)}${colon}`
    this.#area.setRangeText(taken, start, value.length - rest.length, 'end')
    this.close()
    this.#area.focus()
  }
}

/**
 * Where a key is being typed: where it starts, what of it is there, and the keys that it stands under. Nothing where
 * something else is typed.
 */
export function placeOf(text, caret) {
  /** For each open bracket: which it is, the key before it, and the key that was read last in it. */
  const open = []
  let isKey = false
  let word
  for (let at = 0; at < caret; at++) {
    const character = text[at]
    const inner = open.at(-1)
    if (word !== undefined) {
      if (character === '\\') at++
      else if (character === '"') {
        if (isKey) inner.key = text.slice(word + 1, at)
        ;[word, isKey] = [undefined, false]
      }
      continue
    }
    if (character === '"') word = at
    else if (character === '{' || character === '[') {
      open.push({ kind: character, under: inner?.key })
      isKey = character === '{'
    } else if (character === '}' || character === ']') {
      open.pop()
      isKey = false
    } else if (character === ',') isKey = inner?.kind === '{'
    else if (character === ':') isKey = false
    else if (isKey && /[\w$]/.test(character)) {
      // A name whose quotes will be made.
      const [bare] = /^[\w.$]*/.exec(text.slice(at, caret))
      if (at + bare.length === caret) return { start: at, typed: bare, under: open.map(({ under }) => under).filter(name => name !== undefined) }
      at += bare.length - 1
    }
  }
  if (!isKey || word === undefined) return undefined
  return { start: word, typed: text.slice(word + 1, caret), under: open.map(({ under }) => under).filter(name => name !== undefined) }
}

/** Those that have what was typed in them, those that begin with it first. */
function ranked(names, typed) {
  const wanted = typed.toLowerCase()
  const place = name => (name.toLowerCase().startsWith(wanted) ? 0 : name.toLowerCase().includes(wanted) ? 1 : 2)
  return names.filter(name => place(name) < 2 && name !== typed).sort((left, right) => place(left) - place(right))
}
