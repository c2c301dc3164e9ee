// The benchmark of queries: its documents, its judgement of answers, its report. No browser, no peers.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Facts, Gauges } from '../bench/page/gauges.js'
import { indexOf } from '../bench/page/documents.js'
import { Bounds, COLUMNS, SCANS, VISITS } from '../bench/page/query_questions.js'
import { Run } from '../bench/page/run.js'
import { titles, wordsOf } from '../bench/page/titles.js'
import { adaptersOf } from '../bench/catalogue.mjs'
import { measureNamed } from '../bench/measures.mjs'
import { everyWorkload, measures } from '../bench/query_measures.mjs'
import { readOptions } from '../bench/options.mjs'
import { Medians, losses, reportOf } from '../bench/report.mjs'
import { setOf, sets } from '../bench/sets.mjs'
import { queryTargets } from '../bench/query_targets.mjs'

const SEED = 3
const COUNT = 12_000
const facts = new Facts(SEED, COUNT)
const gauges = new Gauges(SEED).slice(0, COUNT)
const backwards = gauges.toReversed()

/** The groups of all documents, computed in another way than `Facts` does. */
function groups(keyOf) {
  return [...new Set(gauges.map(keyOf))].map(_id => {
    const values = gauges.filter(gauge => keyOf(gauge) === _id).map(({ value }) => value)
    return { _id, n: values.length, mean: values.reduce((sum, value) => sum + value / values.length, 0), most: Math.max(...values) }
  })
}

describe('what is true of all documents', () => {
  test('the filter: its documents in any order, whole, each once', () => {
    const right = backwards.filter(({ value }) => value >= 40 && value < 45)
    assert.ok(Math.abs(right.length / COUNT - 0.05) < 0.01, 'one in twenty')
    facts.checkFilter(right, 40, 45)
    assert.throws(() => facts.checkFilter(right.slice(1), 40, 45), /documents, not/)
    assert.throws(() => facts.checkFilter([right[1], ...right.slice(1)], 40, 45), /twice/)
    assert.throws(() => facts.checkFilter([{ ...right[0], note: 'x' }, ...right.slice(1)], 40, 45), /note is "x"/)
    const other = backwards.find(({ value }) => value < 40)
    assert.throws(() => facts.checkFilter([other, ...right.slice(1)], 40, 45), /is not from 40 to 45/)
  })

  test('groups by site and by hour, whatever the type of count and hour', () => {
    const sites = groups(({ site }) => site)
    facts.checkGroups(sites, 'sites')
    assert.throws(() => facts.checkGroups(sites.slice(1), 'sites'), /39 groups, not 40/)
    assert.throws(() => facts.checkGroups([{ ...sites[0], mean: sites[0].mean + 1e-6 }, ...sites.slice(1)], 'sites'), /sites: /)
    assert.throws(() => facts.checkGroups([sites[1], ...sites.slice(1)], 'sites'), /not undefined/)
    const hours = groups(({ ts }) => ts - (ts % 3_600_000))
    facts.checkGroups(hours.map(({ _id, n, ...group }) => ({ _id: new Date(_id), n: BigInt(n), ...group })), 'hours')
    assert.throws(() => facts.checkGroups(hours.map(group => ({ ...group, most: 1 })), 'hours'), /hours: /)
  })

  test('columns: place by place one document, all of them', () => {
    const right = Object.fromEntries(COLUMNS.map(field => [field, backwards.map(gauge => gauge[field])]))
    facts.checkColumns(right)
    facts.checkColumns(Object.fromEntries(COLUMNS.map(field => [field, Float64Array.from(right[field])])))
    assert.throws(() => facts.checkColumns({ ...right, volts: right.volts.toReversed() }), /volts is/)
    assert.throws(() => facts.checkColumns({ ...right, value: right.value.slice(1) }), /of value, not 12000/)
    assert.throws(() => facts.checkColumns({ ...right, ts: [right.ts[1], ...right.ts.slice(1)] }), /value is|twice/)
  })

  test('a gauge is a reading with a voltage', () => {
    const { volts, ...reading } = gauges[77]
    assert.ok(volts >= 3 && volts < 4)
    assert.equal(indexOf(reading.ts), 77)
  })
})

describe('what is asked', () => {
  test('the same seed asks for the same bounds, other ones each time', () => {
    const [one, other] = [new Bounds(5), new Bounds(5)]
    const asked = Array.from({ length: 20 }, () => one.next())
    assert.deepEqual(asked, Array.from({ length: 20 }, () => other.next()))
    assert.ok(new Set(asked.map(([from]) => from)).size > 10)
    assert.ok(asked.every(([from, to]) => from >= 0 && to - from === 5 && to <= 100))
  })

  test('every visit asks for a scan, each as often as the others', () => {
    assert.equal(VISITS % Object.keys(SCANS).length, 0)
    for (const workload of Object.values(SCANS)) assert.ok(everyWorkload.includes(workload))
  })

  test('titles are the same for the same seed; few words are common, most are rare', () => {
    const made = titles(1, 2_000)
    assert.deepEqual(made, titles(1, 2_000))
    assert.equal(new Set(made.map(({ id }) => id)).size, 2_000)
    const times = new Map()
    for (const { title } of made) for (const word of new Set(wordsOf(title))) times.set(word, (times.get(word) ?? 0) + 1)
    const counts = [...times.values()].sort((a, b) => b - a)
    assert.ok(counts[0] > 300 && counts[Math.floor(counts.length / 2)] < 5, `${counts[0]} and ${counts[Math.floor(counts.length / 2)]}`)
    assert.ok([...times.keys()].every(word => /^[a-z]+$/.test(word)))
  })

  test('a question is asked until that was enough, and the first time is not counted', async () => {
    const run = new Run({ workloads: [] })
    let asked = 0
    await run.repeat('quick', { least: 2, most: 5, enough_ms: 1_000 }, time => time(() => asked++))
    await run.repeat('slow', { least: 2, most: 5, enough_ms: 0 }, time => time(() => asked++))
    assert.deepEqual([run.times.quick.length, run.times.slow.length, asked], [5, 2, 9])
  })
})

const cell = (adapter, times, more = {}) => ({ browser: 'chromium', browser_version: 'Made-up/1', adapter, round: 0, seed: 1, documents: 10_000, load_before: 0.5, load_after: 1.5, times, values: {}, notes: {}, ...more })
const RUN = {
  meta: {
    set: 'query', began: '2026-01-01T00:00:00.000Z', machine: { processor: 'P', cores: 2, memory_gb: 4, system: 'linux 1', node: 'v20' }, documents: 10_000, rounds: 1, seed: 1,
    browsers: ['chromium'], workloads: everyWorkload, adapters: ['dexie', 'sqlite', 'duckdb', 'hyphadb'], versions: { dexie: '4', sqlite: '3', duckdb: '1', hyphadb: '0.1' },
  },
  cells: [
    cell('dexie', { filter: [3_000], sites_first: [2_000], sites: [2_000], live_0: [2], live_1: [8] }),
    cell('sqlite', { filter: [30], sites_first: [60], sites: [40] }, { notes: { Q5: 'SQLite has no live queries' } }),
    cell('duckdb', { filter: [20], sites_first: [30], sites: [2] }),
    cell('hyphadb', { filter: [12], sites_first: [15], sites: [3.5], columns: [1.5], live_0: [1], live_1: [1.3] }, { notes: { Q7: 'this build has no text index' } }),
  ],
}

describe('the report of queries', () => {
  test('holds ours against one peer, against the best of some, and against itself', () => {
    const text = reportOf(RUN)
    assert.match(text, /^# Benchmark of queries/)
    assert.match(text, /\| <= 1\/300 of dexie \| 12\.0 ms \| 3,000 \| 0\.004x \| NOT MET, 1\.20x too much \|/)
    assert.match(text, /\| <= 1x of the best of sqlite, pglite, duckdb \| 12\.0 ms \| 20\.0 \| 0\.600x \(duckdb\) \| met \|/)
    assert.match(text, /\| <= 1\.5x of duckdb \| 3\.50 ms \| 2\.00 \| 1\.75x \| NOT MET, 1\.17x too much \|/)
    assert.match(text, /\| <= 2 ms \| 1\.50 ms \| - \| 1\.50 ms \| met \|/)
    assert.match(text, /\| <= 1\.2x \| 1\.30x \| - \| 1\.30x \| NOT MET, 1\.08x too much \|/)
    assert.match(text, /- sqlite, Q5: left out: SQLite has no live queries/)
    assert.match(text, /- hyphadb, Q7: left out: this build has no text index/)
    assert.doesNotMatch(text, /NaN|undefined|Infinity/)
  })

  test('a loss is told of a time, not of a ratio of two times', () => {
    const medians = new Medians(RUN.cells, RUN.meta.adapters, 0.005, sets.query)
    assert.deepEqual(losses(medians, 'hyphadb').map(({ measure, best }) => `${measure.name} ${best.name}`), ['sites duckdb'])
  })

  test('every target names a measure of the set, every measure a workload, and peers there are', () => {
    for (const { measure, among = [] } of queryTargets) {
      assert.ok(measureNamed(measure, measures), measure)
      for (const name of among) assert.ok(adaptersOf('query').includes(name), name)
    }
    assert.equal(new Set(measures.map(({ name }) => name)).size, measures.length)
    for (const { workload } of measures) assert.ok(workload === undefined || everyWorkload.includes(workload))
  })
})

describe('the sets', () => {
  test('each has adapters, workloads and a report of its own', () => {
    assert.deepEqual(readOptions(['--set', 'query', '--workloads', 'Q2']).workloads, ['Q2'])
    assert.throws(() => readOptions(['--set', 'query', '--adapters', 'pouchdb']), /--adapters does not know pouchdb/)
    assert.match(readOptions(['--help', '--set', 'query']).help, /npm run bench:query -- .*Q7.*target\/bench-query\.json/s)
    assert.notEqual(readOptions([]).out, readOptions(['--set', 'query']).out)
    assert.equal(setOf({}), sets.documents)
  })

  test('a cell runs the phases of what is wanted, and no others', () => {
    const phases = (set, ...wanted) => sets[set].lives(wanted).map(life => life.map(({ name }) => name).join(' ')).join(' | ')
    assert.equal(phases('documents', 'W1', 'W5', 'W9'), 'write | read change')
    assert.equal(phases('documents', 'W1', 'W10'), 'write | cold reload')
    assert.equal(phases('query', 'Q1', 'Q7'), 'load | first again | text')
    assert.equal(phases('query', 'Q5'), 'live crowd')
  })
})
