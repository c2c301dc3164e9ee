// What is measured by the set `documents`, in the order of the report: from which series of times or which value of a cell,
// and in which unit.
//
// Not the measuring, which is the page's. Invariant: lower is better in every measure.
import { median, percentile } from './statistics.mjs'

export const p50 = series => cell => median(cell.times?.[series] ?? [])
export const p95 = series => cell => percentile(cell.times?.[series] ?? [], 0.95)
export const slowest = series => cell => (cell.times?.[series] ? Math.max(...cell.times[series]) : undefined)
/** The first of a page's life: code is compiled, and blocks come into memory. */
export const first = series => cell => cell.times?.[series]?.[0]
const perDocument = series => cell => {
  const ms = median(cell.times?.[series] ?? [])
  return ms === undefined ? undefined : (ms * 1_000) / cell.documents
}
const megabytes = name => cell => (cell.values?.[name] === undefined ? undefined : cell.values[name] / 1e6)
const kilobytes = name => cell => (cell.values?.[name] === undefined ? undefined : cell.values[name] / 1e3)

export const measures = [
  { name: 'open', label: 'import + open, new database', unit: 'ms', of: p50('open') },
  { name: 'bulk_insert', workload: 'W1', label: 'bulk insert of all documents', unit: 'ms', of: p50('bulk_insert'), isTotal: true },
  { name: 'bulk_insert_each', workload: 'W1', label: 'bulk insert, per document', unit: 'us', of: perDocument('bulk_insert') },
  { name: 'insert', workload: 'W2', label: 'single insert p50', unit: 'ms', of: p50('insert') },
  { name: 'insert_p95', workload: 'W2', label: 'single insert p95', unit: 'ms', of: p95('insert') },
  { name: 'insert_slowest', workload: 'W2', label: 'single insert, slowest', unit: 'ms', of: slowest('insert') },
  { name: 'insert_together', workload: 'W3', label: '1,000 concurrent inserts', unit: 'ms', of: p50('insert_together') },
  { name: 'insert_together_first', workload: 'W3', label: '1,000 concurrent inserts, first', unit: 'ms', of: first('insert_together') },
  { name: 'insert_together_slowest', workload: 'W3', label: '1,000 concurrent inserts, slowest', unit: 'ms', of: slowest('insert_together') },
  { name: 'get', workload: 'W4', label: 'get p50', unit: 'ms', of: p50('get') },
  { name: 'get_p95', workload: 'W4', label: 'get p95', unit: 'ms', of: p95('get') },
  { name: 'get_slowest', workload: 'W4', label: 'get, slowest', unit: 'ms', of: slowest('get') },
  { name: 'get_many', workload: 'W4', label: 'bulkGet of 1,000', unit: 'ms', of: p50('get_many') },
  { name: 'get_many_first', workload: 'W4', label: 'bulkGet of 1,000, first', unit: 'ms', of: first('get_many') },
  { name: 'get_many_slowest', workload: 'W4', label: 'bulkGet of 1,000, slowest', unit: 'ms', of: slowest('get_many') },
  { name: 'newest_of_agent', workload: 'W5', label: 'agent = X, newest 50, p50', unit: 'ms', of: p50('newest_of_agent') },
  { name: 'newest_of_agent_p95', workload: 'W5', label: 'agent = X, newest 50, p95', unit: 'ms', of: p95('newest_of_agent') },
  { name: 'newest_of_agent_first', workload: 'W5', label: 'agent = X, newest 50, first', unit: 'ms', of: first('newest_of_agent') },
  { name: 'newest_of_agent_slowest', workload: 'W5', label: 'agent = X, newest 50, slowest', unit: 'ms', of: slowest('newest_of_agent') },
  { name: 'newest_of_site', workload: 'W5b', label: 'site = X, newest 50, p50', unit: 'ms', of: p50('newest_of_site') },
  { name: 'newest_of_site_p95', workload: 'W5b', label: 'site = X, newest 50, p95', unit: 'ms', of: p95('newest_of_site') },
  { name: 'newest_of_site_first', workload: 'W5b', label: 'site = X, newest 50, first', unit: 'ms', of: first('newest_of_site') },
  { name: 'newest_of_site_slowest', workload: 'W5b', label: 'site = X, newest 50, slowest', unit: 'ms', of: slowest('newest_of_site') },
  { name: 'range', workload: 'W6', label: 'ts range, 1,000 documents', unit: 'ms', of: p50('range') },
  { name: 'range_first', workload: 'W6', label: 'ts range, 1,000 documents, first', unit: 'ms', of: first('range') },
  { name: 'range_slowest', workload: 'W6', label: 'ts range, 1,000 documents, slowest', unit: 'ms', of: slowest('range') },
  { name: 'update', workload: 'W9', label: 'update 1,000', unit: 'ms', of: p50('update') },
  { name: 'update_first', workload: 'W9', label: 'update 1,000, first', unit: 'ms', of: first('update') },
  { name: 'update_slowest', workload: 'W9', label: 'update 1,000, slowest', unit: 'ms', of: slowest('update') },
  { name: 'remove', workload: 'W9', label: 'delete 1,000', unit: 'ms', of: p50('remove') },
  { name: 'remove_first', workload: 'W9', label: 'delete 1,000, first', unit: 'ms', of: first('remove') },
  { name: 'remove_slowest', workload: 'W9', label: 'delete 1,000, slowest', unit: 'ms', of: slowest('remove') },
  { name: 'open_cold', workload: 'W10', label: 'cold browser: import + open + first query', unit: 'ms', of: p50('open_cold') },
  { name: 'open_reload', workload: 'W10', label: 'page reload: import + open + first get', unit: 'ms', of: p50('open_reload') },
  { name: 'storage_estimate', workload: 'W12', label: 'storage estimate after W1', unit: 'MB', of: megabytes('storage_estimate_bytes') },
  { name: 'storage_files', workload: 'W12', label: 'files on disk after W1', unit: 'MB', of: megabytes('storage_files_bytes') },
  { name: 'shipped_raw', workload: 'W12', label: 'shipped, minified', unit: 'kB', of: kilobytes('shipped_raw_bytes') },
  { name: 'shipped_gzip', workload: 'W12', label: 'shipped, gzip', unit: 'kB', of: kilobytes('shipped_gzip_bytes') },
  { name: 'shipped_brotli', workload: 'W12', label: 'shipped, brotli', unit: 'kB', of: kilobytes('shipped_brotli_bytes') },
]

/** How a measure is called in tables. */
export const titleOf = ({ workload, label }) => (workload ? `${workload} ${label}` : label)

export const measureNamed = (name, among = measures) => among.find(measure => measure.name === name)

/** The workloads that can be chosen. W7, W8 and W11 are not there yet. */
export const everyWorkload = ['W1', 'W2', 'W3', 'W4', 'W5', 'W5b', 'W6', 'W9', 'W10', 'W12']

/** The median over rounds of a measure, for one adapter; `undefined` where no round has it. */
export function measured(measure, cells) {
  return median(cells.map(measure.of).filter(value => value !== undefined))
}
