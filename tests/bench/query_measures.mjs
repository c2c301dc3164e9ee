// What is measured by the set `query`, in the order of the report.
//
// Not the measuring, which is the page's. Invariant: lower is better in every measure. A measure whose unit is `x` is a
// ratio of two times of one database, and says nothing about which of two is quicker: no loss is told of it.
import { p50 } from './measures.mjs'
import { ratio } from './statistics.mjs'

const shareOf = (series, base) => cell => ratio(p50(series)(cell), p50(base)(cell))

export const measures = [
  { name: 'load', label: 'load of all documents, no index', unit: 'ms', of: p50('load') },
  { name: 'open_reload', label: 'import + open, after a reload', unit: 'ms', of: p50('open_reload') },
  { name: 'filter_first', workload: 'Q1', label: 'filter, 5 % as objects, after a reload', unit: 'ms', of: p50('filter_first') },
  { name: 'filter', workload: 'Q1', label: 'filter, 5 % as objects, other bounds each time', unit: 'ms', of: p50('filter') },
  { name: 'sites_first', workload: 'Q2', label: 'group by site, after a reload', unit: 'ms', of: p50('sites_first') },
  { name: 'sites', workload: 'Q2', label: 'group by site, repeated', unit: 'ms', of: p50('sites') },
  { name: 'hours_first', workload: 'Q3', label: 'group by hour, after a reload', unit: 'ms', of: p50('hours_first') },
  { name: 'hours', workload: 'Q3', label: 'group by hour, repeated', unit: 'ms', of: p50('hours') },
  { name: 'columns_first', workload: 'Q4', label: 'three columns of numbers, after a reload', unit: 'ms', of: p50('columns_first') },
  { name: 'columns', workload: 'Q4', label: 'three columns of numbers, repeated', unit: 'ms', of: p50('columns') },
  { name: 'live_bare', workload: 'Q5', label: 'insert alone, p50', unit: 'ms', of: p50('live_0') },
  ...[1, 100, 10_000].flatMap(count => [
    { name: `live_${count}`, workload: 'Q5', label: `insert to callback, ${count.toLocaleString('en-US')} live, p50`, unit: 'ms', of: p50(`live_${count}`) },
    { name: `live_${count}_share`, workload: 'Q5', label: `insert to callback, ${count.toLocaleString('en-US')} live, of the insert alone`, unit: 'x', of: shareOf(`live_${count}`, 'live_0') },
  ]),
  { name: 'schema_without', workload: 'Q6', label: 'bulk insert of 1,000, no schema', unit: 'ms', of: p50('schema_without') },
  { name: 'schema_with', workload: 'Q6', label: 'bulk insert of 1,000, schema of ten properties', unit: 'ms', of: p50('schema_with') },
  { name: 'schema_share', workload: 'Q6', label: 'bulk insert with a schema, of that without', unit: 'x', of: shareOf('schema_with', 'schema_without') },
  { name: 'text_words', workload: 'Q7', label: 'text of 20,000 titles, two words, best 20', unit: 'ms', of: p50('text_words') },
  { name: 'text_prefix', workload: 'Q7', label: 'text of 20,000 titles, a prefix, best 20', unit: 'ms', of: p50('text_prefix') },
]

/** The workloads that can be chosen. */
export const everyWorkload = ['Q1', 'Q2', 'Q3', 'Q4', 'Q5', 'Q6', 'Q7']
