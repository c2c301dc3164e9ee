// The page: opens the database and lets its parts know of each other.
// It uses nothing but the package's public API.
import { HyphaError, deleteDatabase, memory, open } from '/pkg/index.js'
import { followActivity } from './activity.js'
import { Chart } from './chart.js'
import { datasets } from './datasets.js'
import { DocumentPanel } from './document.js'
import { byId, element } from './element.js'
import { bytes, count, pathsOf } from './format.js'
import { LiveList } from './live.js'
import { attempt, showError, showNews } from './notice.js'
import { QueryForm } from './query.js'
import { Sidebar } from './sidebar.js'
import { Table } from './table.js'

/** `?name=…` opens another database, `?storage=memory` one that ends with the page. */
const parameters = new URLSearchParams(location.search)
const name = parameters.get('name') ?? 'console'
const inMemory = parameters.get('storage') === 'memory'
/** Changes that come together are shown together. */
const REFRESH_MS = 150

const EVERYTHING = { filter: {}, sort: undefined, limit: undefined }

class Console {
  #db
  #sidebar
  #table
  #panel
  #form
  #chart = new Chart()
  #live = new LiveList()
  #chosen
  #question = EVERYTHING
  #refresh

  constructor(db) {
    this.#db = db
    this.#sidebar = new Sidebar(db, chosen => void attempt(() => this.choose(chosen)))
    this.#panel = new DocumentPanel(() => this.#table.mark(undefined))
    this.#table = new Table(key => {
      this.#table.mark(key)
      void this.#panel.open(db.collection(this.#chosen), this.#key, key)
    }, () => void attempt(() => this.#create()))
    this.#form = new QueryForm(question => {
      this.#question = question
      void this.#ask(0).then(isShown => (isShown ? this.#drawBeside() : undefined))
    })
    db.on('change', () => this.#follow())
    db.on('storage', ({ type }) => this.#storageChanged(type))
    followActivity(db)
  }

  async start() {
    const collections = await this.#sidebar.refresh()
    await this.#showFacts()
    byId('opening').hidden = true
    const wanted = decodeURIComponent(location.hash.slice(1))
    const filled = collections.filter(item => item.documents > 0)
    const first = filled.find(item => item.name === wanted) ?? filled[0]
    if (first !== undefined) await this.choose(first.name)
    else this.#showWelcome()
  }

  /** Shows a collection. */
  async choose(chosen) {
    ;[this.#chosen, this.#question] = [chosen, EVERYTHING]
    history.replaceState(null, '', `#${encodeURIComponent(chosen)}`)
    byId('opening').hidden = true
    this.#sidebar.choose(chosen)
    this.#panel.close()
    const collection = this.#db.collection(chosen)
    const [indexes, sample] = [await collection.indexes(), await collection.find().limit(20).toArray()]
    const { charts, examples } = datasets[chosen] ?? {}
    this.#form.show(chosen, [...new Set([...[this.#key].flat(), ...indexes.flatMap(index => index.fields), ...sample.flatMap(pathsOf)])], examples)
    this.#chart.show(collection, charts)
    await this.#ask(0)
    await this.#drawBeside()
  }

  /** What stands beside the table: the chart and the live list of the same question. */
  async #drawBeside() {
    this.#live.follow(this.#db.collection(this.#chosen), this.#question, { key: this.#key, columns: datasets[this.#chosen]?.shown ?? [] })
    await this.#chart.draw(this.#question.filter)
  }

  get #key() {
    return datasets[this.#chosen]?.config.key ?? 'id'
  }

  async #ask(page, repeats) {
    const columns = datasets[this.#chosen]?.shown ?? []
    return this.#table.ask(this.#db.collection(this.#chosen), this.#question, { key: this.#key, columns, page, repeats })
  }

  /** A new document begins as a copy of the first one, without its key. */
  async #create() {
    const collection = this.#db.collection(this.#chosen)
    const example = { ...((await collection.find().first()) ?? { name: 'example' }) }
    // A single key called `id` is made by the database; others have to be given.
    if (this.#key === 'id') delete example.id
    this.#panel.create(collection, this.#key, example)
  }

  /** Something was committed, here or elsewhere. */
  #follow() {
    this.#refresh ??= setTimeout(() => {
      this.#refresh = undefined
      void attempt(async () => {
        await Promise.all([this.#sidebar.refresh(), this.#showFacts()])
        if (this.#chosen === undefined) return
        if (await this.#ask(this.#table.page, 0)) await this.#chart.draw()
        await this.#panel.refresh()
      })
    }, REFRESH_MS)
  }

  #storageChanged(type) {
    if (type === 'deleted') showError(new HyphaError('closed', 'the database was deleted in another tab', { hint: 'reload the page to begin anew' }))
    else showNews(type === 'lost' ? 'The browser closed the storage; opening it again…' : 'The storage is open again.')
  }

  #showWelcome() {
    const welcome = byId('opening')
    welcome.textContent = 'No data here yet: load one of the samples. It stays in this browser, also after a reload.'
    welcome.hidden = false
  }

  async #showFacts() {
    const { usage } = inMemory ? {} : (await navigator.storage?.estimate?.()) ?? {}
    const { documents } = await this.#db.stats()
    const facts = [['database', name], ['kept in', inMemory ? 'memory' : 'IndexedDB'], ['documents', count(documents)], ...(usage === undefined ? [] : [['on disk', bytes(usage)]])]
    byId('facts').replaceChildren(...facts.map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, value))))
  }
}

async function start() {
  const db = await open({
    name,
    collections: Object.fromEntries(Object.entries(datasets).map(([collection, { config }]) => [collection, config])),
    ...(inMemory ? { storage: memory() } : {}),
  })
  byId('reset').hidden = false
  byId('reset').addEventListener('click', () => void attempt(async () => {
    if (!window.confirm(`Delete the database "${name}" and all that is in it?`)) return
    await deleteDatabase(name)
    location.reload()
  }))
  await new Console(db).start()
}

start().catch(error => {
  byId('opening').textContent = 'The database could not be opened.'
  showError(error)
})
