// The side: the collections with their counts and indexes, and the samples with their loading.
// Not the data itself: what is chosen is told to `onChoose`.
import { datasets, load } from './datasets.js'
import { byId, element } from './element.js'
import { count, duration } from './format.js'
import { attempt, showNews } from './notice.js'

export class Sidebar {
  #db
  #onChoose
  #chosen
  #loading = new Map()

  constructor(db, onChoose) {
    this.#db = db
    this.#onChoose = onChoose
    byId('samples').replaceChildren(...Object.entries(datasets).map(([name, dataset]) => this.#sample(name, dataset)))
  }

  /** Marks the collection that is shown. */
  choose(name) {
    this.#chosen = name
    for (const button of byId('collections').querySelectorAll('button')) {
      if (button.dataset.name === name) button.setAttribute('aria-current', 'true')
      else button.removeAttribute('aria-current')
    }
  }

  /** Shows the counts and indexes of now. */
  async refresh() {
    const collections = await this.#db.collections()
    const items = await Promise.all(collections.map(async ({ name, documents }) => {
      const collection = this.#db.collection(name)
      return { name, documents: documents ?? (await collection.countDocuments()), indexes: await collection.indexes() }
    }))
    items.sort((a, b) => Object.keys(datasets).indexOf(a.name) - Object.keys(datasets).indexOf(b.name))
    for (const item of items) this.#showCollection(item)
    for (const { name, documents } of items) this.#labelSample(name, documents)
    document.body.classList.toggle('has-data', items.some(({ documents }) => documents > 0))
    this.choose(this.#chosen)
    return items
  }

  /** In place, so that whoever stands on it with the keyboard stays there. */
  #showCollection({ name, documents, indexes }) {
    const known = byId('collections').querySelector(`[data-of="${CSS.escape(name)}"]`)
    const item = known ?? this.#collection(name)
    if (known === null) byId('collections').append(item)
    item.querySelector('.count').textContent = count(documents)
    item.querySelector('summary').textContent = `${indexes.length} ${indexes.length === 1 ? 'index' : 'indexes'}`
    item.querySelector('.indexes').replaceChildren(...indexes.map(index => element('li', {}, index.fields.join(', '),
      index.unique && element('span', { className: 'tag' }, 'unique'), index.state === 'building' && element('span', { className: 'tag' }, 'building'))))
  }

  #collection(name) {
    return element('li', { 'data-of': name },
      element('button', { type: 'button', onclick: () => this.#onChoose(name), 'data-name': name }, element('span', { className: 'name' }, name), element('span', { className: 'count' })),
      element('details', {}, element('summary'), element('ul', { className: 'indexes' })))
  }

  #sample(name, { title, about }) {
    const button = element('button', { type: 'button', id: `load-${name}`, onclick: () => this.#load(name) }, 'Load')
    return element('li', { id: `sample-${name}` }, element('div', {}, element('strong', {}, title), element('p', { className: 'hint' }, about)), button)
  }

  #labelSample(name, documents) {
    const button = byId(`load-${name}`)
    if (button === null || this.#loading.has(name)) return
    button.textContent = documents > 0 ? 'Load again' : 'Load'
    button.setAttribute('aria-label', `${button.textContent}: ${datasets[name].title}`)
    button.classList.toggle('primary', documents === 0)
  }

  async #load(name) {
    const running = this.#loading.get(name)
    if (running !== undefined) return running.abort()
    const { title } = datasets[name]
    const controller = new AbortController()
    this.#loading.set(name, controller)
    const button = byId(`load-${name}`)
    const bar = element('progress', { max: 1, 'aria-label': `Loading ${title}` })
    const told = element('p', { className: 'hint' }, 'fetching…')
    const progress = element('div', { className: 'progress' }, bar, told)
    button.textContent = 'Cancel'
    button.setAttribute('aria-label', `Cancel loading ${title}`)
    byId(`sample-${name}`).append(progress)
    const result = await attempt(() => load(this.#db.collection(name), datasets[name], {
      signal: controller.signal,
      onProgress({ done, total }) {
        bar.value = done / total
        told.textContent = `${count(done)} of ${count(total)}`
      },
    }))
    progress.remove()
    this.#loading.delete(name)
    await attempt(() => this.refresh())
    if (result !== undefined) {
      showNews(`${title}: ${count(result.count)} documents in ${duration(result.ms)}.`)
      if (this.#chosen === undefined) this.#onChoose(name)
    }
  }
}
