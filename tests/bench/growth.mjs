// The report of growth: a table, a few sentences and a chart, from the JSON of a run of `scale.mjs`.
//
// Plain functions; nothing is measured here.
import { chart } from './chart.mjs'
import { table } from './report.mjs'
import { median } from './statistics.mjs'

/** A document's JSON, on average. */
export const DOCUMENT_BYTES = 209
const OPEN_GROWTH_MOST = 1.3

const curve = (name, results, of) => ({ name, points: results.map(result => [result.documents, of(result)]).filter(([, value]) => value !== undefined) })
const mb = bytes => (bytes === undefined ? undefined : bytes / 1e6)

/** What is drawn, and told. */
function panels(results) {
  return [
    { title: 'Bulk insert', unit: 'us a document', series: [curve('insert', results, result => (result.filled.bulk_insert_ms * 1_000) / result.documents)] },
    {
      title: 'Page reload', unit: 'ms',
      series: [curve('to the first get', results, result => median(result.first_get_ms)), curve('import + open', results, result => median(result.open_ms))],
    },
    {
      title: 'Get by key, p50', unit: 'us',
      series: [curve('just opened', results, result => median(result.cold_get_ms) * 1_000), curve('again', results, result => median(result.warm_get_ms) * 1_000)],
    },
    {
      title: 'site = X, newest 50, p50', unit: 'us',
      series: [curve('by one index', results, result => median(result.site_ms) * 1_000)],
    },
    {
      title: 'Memory after the queries', unit: 'MB',
      series: [curve('the process', results, result => mb(result.renderer_bytes)), curve('wasm', results, result => mb(result.memory.wasm_bytes))],
    },
    { title: 'On disk', unit: 'bytes a document', series: [curve('disk', results, result => result.stored_bytes / result.documents)] },
  ]
}

/** What is told only: how many documents an agent has grows with the whole, so this query has to. */
const told = results => [{ title: 'agent = X, newest 50, p50', unit: 'us', series: [curve('by index, then sorted', results, result => median(result.agent_ms) * 1_000)] }]

const shown = value => (value === undefined ? '-' : Number(value.toPrecision(3)).toLocaleString('en-US'))

/** The report as Markdown, of `{ meta, results, walk }`. */
export function summary({ meta, results, walk }) {
  const rows = [...panels(results), ...told(results)].flatMap(({ title, unit, series }) =>
    series.map(({ name, points }) => [`${title}: ${name}, ${unit}`, ...results.map(({ documents }) => shown(points.find(([count]) => count === documents)?.[1]))]),
  )
  const [smallest, largest] = [results[0], results.at(-1)]
  const growth = median(largest.open_ms) / median(smallest.open_ms)
  const seen = kind => walk.memory.map(memory => shown(mb(memory[kind]))).join(', ')
  const lines = [
    `# Growth\n\n${meta.browser}, hyphadb ${meta.version}, ${meta.machine.processor}, ${meta.machine.cores} cores, load ${results.map(({ load_before, load_after }) => `${load_before} to ${load_after}`).join(', ')}.`,
    table(['documents', ...results.map(({ documents }) => documents.toLocaleString('en-US'))], rows),
    `Open with ${largest.documents.toLocaleString('en-US')} documents takes ${shown(growth)}x of that with ${smallest.documents.toLocaleString('en-US')} (wanted: at most ${OPEN_GROWTH_MOST}x): ${growth <= OPEN_GROWTH_MOST ? 'met' : 'NOT MET'}.`,
    `${walk.documents.toLocaleString('en-US')} documents, ${shown(mb(walk.documents * DOCUMENT_BYTES))} MB of JSON, ${shown(mb(walk.stored_bytes))} MB on disk, read through a cache of ${shown(mb(walk.cache_bytes))} MB: every document is as it was inserted, and ${walk.checked.ranges} ranges of 1,000 and ${walk.checked.gets.toLocaleString('en-US')} gets answer right. Memory from opening to the end: wasm ${seen('wasm_bytes')} MB, script ${seen('script_bytes')} MB; the process at most ${shown(mb(walk.renderer_highest_bytes))} MB (${shown(mb(smallest.renderer_empty_bytes))} MB with an empty page).`,
  ]
  return `${lines.join('\n\n')}\n`
}

/** The chart as SVG. */
export function drawing({ meta, results }) {
  const note = `${meta.browser}, ${meta.machine.processor}, ${meta.machine.cores} cores; number of documents along the axis. Made by: npm run bench:scale`
  return chart('HyphaDB as it grows', note, panels(results))
}
