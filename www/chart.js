// The chart: an aggregation of the collection, drawn as bars, with the time that it took.
// Not a tool for any pipeline: the ones that a data set is looked at with are in datasets.js. What the query filters is
// filtered here as well.
import { byId, element } from './element.js'
import { count, duration, inLine } from './format.js'
import { attempt } from './notice.js'

const BARS_MAX = 31

export class Chart {
  #collection
  #charts = []
  #chosen = 0
  #filter = {}
  #run = 0

  /** Shows the charts of a collection: `{ title, pipeline, label?, value? }`; none where there are none. */
  show(collection, charts = []) {
    ;[this.#collection, this.#charts, this.#chosen] = [collection, charts, 0]
    byId('chart').hidden = charts.length === 0
  }

  /** Draws again, of the documents that match. */
  async draw(filter = this.#filter) {
    this.#filter = filter
    const chart = this.#charts[this.#chosen]
    if (chart === undefined) return
    const run = ++this.#run
    await attempt(async () => {
      const started = performance.now()
      const groups = await this.#collection.aggregate([{ $match: filter }, ...chart.pipeline]).toArray()
      const ms = performance.now() - started
      if (run === this.#run) this.#show(chart, groups, ms)
    })
  }

  #show({ title, label = inLine, value = figure }, groups, ms) {
    const bars = groups.slice(0, BARS_MAX)
    const most = Math.max(...bars.map(group => Math.abs(group.value ?? 0)), Number.MIN_VALUE)
    const select = element('select', { 'aria-label': 'Chart', id: 'chart-choice', onchange: event => { this.#chosen = Number(event.target.value); void this.draw() } },
      this.#charts.map((chart, n) => element('option', { value: n, selected: n === this.#chosen }, chart.title)))
    const hadFocus = document.activeElement?.id === 'chart-choice'
    byId('chart').replaceChildren(
      element('div', { className: 'heading' }, element('h2', { id: 'chart-title' }, 'Chart'), select),
      element('p', { className: 'plan' }, element('strong', {}, duration(ms)), ` for ${count(groups.length)} ${groups.length === 1 ? 'group' : 'groups'}`),
      bars.length === 0
        ? element('p', { className: 'state' }, 'No document matches.')
        : element('ol', { className: 'bars', 'aria-label': title }, bars.map(group => element('li', {},
          element('span', { className: 'label', title: label(group._id) }, group._id === null ? 'none' : label(group._id)),
          element('span', { className: 'track', 'aria-hidden': 'true' }, bar(group.value, most)),
          element('span', { className: 'figure' }, value(group.value))))),
    )
    if (hadFocus) byId('chart-choice').focus()
  }
}

function bar(value, most) {
  const made = element('span', { className: value < 0 ? 'bar negative' : 'bar' })
  // By script, for the page's policy takes no styles in attributes.
  made.style.width = `${(Math.abs(value ?? 0) / most) * 100}%`
  return made
}

const figure = value => (value === null || value === undefined ? 'none' : Number.isInteger(value) ? count(value) : value.toFixed(1))
