// The benchmark's own parts: its documents, its judgement of answers, its arithmetic, its report. No browser, no peers.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Readings, indexOf } from '../bench/page/documents.js'
import { Model, difference } from '../bench/page/model.js'
import { Questions, SIZES } from '../bench/page/questions.js'
import { drawing, summary } from '../bench/growth.mjs'
import { measureNamed, measures } from '../bench/measures.mjs'
import { readOptions } from '../bench/options.mjs'
import { progress } from '../bench/progress.mjs'
import { Medians, losses, reportOf, table } from '../bench/report.mjs'
import { chart, roundUp, short } from '../bench/chart.mjs'
import { planned, rotated } from '../bench/runner.mjs'
import { attributed, pathOf } from '../bench/profile/steps.mjs'
import { median, percentile, ratio } from '../bench/statistics.mjs'
import { judge, targets } from '../bench/targets.mjs'

describe('readings', () => {
  test('the same seed and index give the same bytes, in every version of the benchmark', () => {
    assert.equal(
      JSON.stringify(new Readings(1).at(5)),
      '{"id":"63ac364036ca95618c2961f4","ts":1700000005194,"agent":"agent-033","site":"site-13","kind":"humidity",' +
      '"status":"warn","value":22.74,"unit":"%","tags":["solar","spare","roof"],"note":"checked by hand, probe 2"}',
    )
  })

  test('are 209 bytes of JSON on average, each with a key of its own, rising in time', () => {
    const readings = new Readings(7).slice(0, 20_000)
    const bytes = readings.reduce((sum, reading) => sum + JSON.stringify(reading).length, 0)
    assert.ok(Math.abs(bytes / readings.length - 209) < 0.5, `${bytes / readings.length} bytes`)
    assert.equal(new Set(readings.map(({ id }) => id)).size, readings.length)
    assert.ok(readings.every(({ ts }, index) => index === 0 || readings[index - 1].ts < ts))
    assert.equal(new Set(readings.map(({ agent }) => agent)).size, 200)
    assert.equal(new Set(readings.map(({ site }) => site)).size, 40)
  })

  test('tell their index by their time', () => {
    assert.deepEqual(new Readings(7).slice(0, 1_000).map(({ ts }) => indexOf(ts)), Array.from({ length: 1_000 }, (_, index) => index))
  })

  test('another seed gives other readings', () => {
    assert.notDeepEqual(new Readings(1).at(0).id, new Readings(2).at(0).id)
  })
})

describe('questions', () => {
  test('are the same for whoever asks them, in whatever order', () => {
    const [one, other] = [new Questions(3, 10_000), new Questions(3, 10_000)]
    const sites = other.sites()
    assert.deepEqual(one.gets(), other.gets())
    assert.deepEqual(one.sites(), sites)
  })

  test('change no document twice', () => {
    const { updates, removals } = new Questions(3, 100_000).changes()
    const all = [...updates, ...removals].flat()
    assert.equal(all.length, 2 * SIZES.repeats * SIZES.changes)
    assert.equal(new Set(all).size, all.length)
  })

  test('leave a small database some documents unchanged', () => {
    const { updates, removals } = new Questions(3, 10_000).changes()
    assert.deepEqual([updates.length, removals.length], [4, 4])
  })

  test('ask for ranges that lie within the documents', () => {
    assert.ok(new Questions(3, 10_000).ranges().every(from => from >= 0 && from + SIZES.range < 10_000))
  })
})

describe('the model', () => {
  const readings = new Readings(1)

  test('answers newest first, and no more than asked', () => {
    const found = new Model(readings, 5_000).newest('site', 'site-07', 50)
    const wanted = readings.slice(0, 5_000).filter(({ site }) => site === 'site-07').reverse().slice(0, 50)
    assert.deepEqual(found, wanted)
  })

  test('forgets what was removed and knows what was patched', () => {
    const model = new Model(readings, 100)
    model.patch(10, { value: -1 })
    model.remove(11)
    model.insert(5)
    assert.equal(model.count, 104)
    assert.deepEqual(model.at(10), { ...readings.at(10), value: -1 })
    assert.equal(model.at(11), undefined)
    assert.deepEqual(model.range(10, 13), [model.at(10), readings.at(12)])
    assert.deepEqual(model.at(104), readings.at(104))
    assert.equal(model.at(105), undefined)
  })

  test('says where an answer differs, whatever the order of its fields', () => {
    assert.equal(difference({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 }), undefined)
    assert.equal(difference([{ a: { b: 1 } }], [{ a: { b: 2 } }]), '0.a.b is 1, not 2')
    assert.match(difference([1], [1, 2]), /^1 is undefined, not 2/)
    assert.match(difference(undefined, { a: 1 }), /^the answer is undefined/)
    assert.notEqual(difference({ a: 1, extra: 2 }, { a: 1 }), undefined)
  })
})

describe('arithmetic', () => {
  test('medians and percentiles', () => {
    assert.equal(median([3, 1, 2]), 2)
    assert.equal(median([4, 1, 2, 3]), 2.5)
    assert.equal(median([]), undefined)
    assert.equal(percentile(Array.from({ length: 100 }, (_, n) => n + 1), 0.95), 95)
    assert.equal(percentile([7], 0.95), 7)
    assert.equal(percentile([], 0.5), undefined)
  })

  test('a ratio to nothing is none', () => {
    assert.equal(ratio(1, 4), 0.25)
    assert.equal(ratio(1, 0), undefined)
    assert.equal(ratio(undefined, 1), undefined)
    assert.equal(ratio(1, undefined), undefined)
  })

  test('every adapter is run once in a round, and each is first in its turn', () => {
    assert.deepEqual([0, 1, 2, 3].map(round => rotated(['a', 'b', 'c'], round).join('')), ['abc', 'bca', 'cab', 'abc'])
  })
})

/** One cell of a run that never was. */
function cell(adapter, times, values = {}, more = {}) {
  return { browser: 'chromium', browser_version: 'Made-up/1', adapter, round: 0, seed: 1, documents: 10_000, load_before: 0.5, load_after: 1.5, times, values, ...more }
}

const CELLS = [
  cell('limit', { bulk_insert: [10], get: [0], insert: [1] }),
  cell('idb', { bulk_insert: [900], get: [0.4], insert: [0.8] }, { storage_files_bytes: 5e6 }),
  cell('dexie', { bulk_insert: [1_000], get: [0.5], insert: [1] }, { storage_files_bytes: 4e6 }),
  cell('pouchdb', { bulk_insert: [1], get: [0.001], insert: [0.1] }, {}, { documents: 5_000 }),
  cell('pglite', { bulk_insert: [800], get: [0.4], insert: [0.1] }),
  cell('rxdb', {}, {}, { error: 'write: Wrong: count after W1: the answer is 1, not 2' }),
  cell('hyphadb', { bulk_insert: [20], get: [0.004], insert: [0.9] }, { storage_files_bytes: 6e6 }),
]
const RUN = {
  meta: {
    began: '2026-01-01T00:00:00.000Z', machine: { processor: 'P', cores: 2, memory_gb: 4, system: 'linux 1', node: 'v20' }, documents: 10_000, rounds: 1, seed: 1,
    browsers: ['chromium'], workloads: ['W1'], adapters: ['limit', 'idb', 'dexie', 'pouchdb', 'pglite', 'rxdb', 'hyphadb', 'hyphadb_worker'],
    versions: { limit: '-', idb: '-', dexie: '4', pouchdb: '9', pglite: '0.5', rxdb: '17', hyphadb: '0.1', hyphadb_worker: '0.1' },
  },
  cells: [...CELLS, cell('hyphadb_worker', {}, {}, { note: 'no such option' })],
}

describe('the report', () => {
  const medians = new Medians(RUN.cells, RUN.meta.adapters, 0.005)

  test('a table has a line for each row, numbers to the right', () => {
    assert.equal(table(['', 'a'], [['x', '1'], ['y', '2']]), '|  | a |\n| --- | ---: |\n| x | 1 |\n| y | 2 |')
  })

  test('the best peer keeps its data and has all of the documents', () => {
    assert.deepEqual(medians.best(measureNamed('get')), { name: 'idb', value: 0.4 })
    assert.deepEqual(medians.best(measureNamed('insert')), { name: 'idb', value: 0.8 })
    assert.equal(medians.best(measureNamed('bulk_insert_each')).name, 'pglite')
  })

  test('losses are where ours is slower or larger than the best peer, and only there', () => {
    const found = losses(medians, 'hyphadb').map(({ measure, best }) => `${measure.name} ${best.name}`)
    assert.deepEqual(found, ['insert idb', 'insert_p95 idb', 'insert_slowest idb', 'storage_files dexie'])
  })

  test('says what was met, what was not, what failed and what was left out', () => {
    const text = reportOf(RUN)
    assert.match(text, /\| W1 bulk insert, per document \| <= 1\/40 of dexie \| 2\.00 us \| 100 \| 0\.020x \| met \|/)
    assert.match(text, /\| W2 single insert p50 \| <= 0\.6x of dexie \| 0\.900 ms \| 1\.00 \| 0\.900x \| NOT MET, 1\.50x too much \|/)
    assert.match(text, /- hyphadb: W2 single insert p50: 0\.900 ms, idb 0\.800 \(1\.1\dx\)/)
    assert.match(text, /- rxdb, round 1: FAILED: write: Wrong: count after W1/)
    assert.match(text, /- hyphadb_worker, round 1: left out: no such option/)
    assert.match(text, /Machine load \(of 2 cores\) around the cells: 0\.500 to 1\.50/)
    assert.match(text, /pouchdb \(5,000 docs\)/)
    assert.match(text, /<0\.005/)
    assert.doesNotMatch(text, /NaN|undefined|Infinity/)
  })

  test('browsers stand side by side where there are several', () => {
    const elsewhere = RUN.cells.map(cell => ({ ...cell, browser: 'firefox', browser_version: 'Made-up/2', times: Object.fromEntries(Object.entries(cell.times).map(([name, list]) => [name, list.map(ms => ms * 2)])) }))
    const text = reportOf({ meta: { ...RUN.meta, browsers: ['chromium', 'firefox'] }, cells: [...RUN.cells, ...elsewhere] })
    assert.match(text, /\|  \| hyphadb, chromium \| of dexie \| hyphadb, firefox \| of dexie \|/)
    assert.match(text, /\| W2 single insert p50, ms \| 0\.900 \| 0\.900x \| 1\.80 \| 0\.900x \|/)
    assert.match(text, /\| targets met \| \d+ of \d+ \|  \| \d+ of \d+ \|  \|/)
    assert.match(text, /## Made-up\/1[^]*## Made-up\/2/)
    assert.doesNotMatch(text, /NaN|undefined|Infinity/)
    assert.doesNotMatch(reportOf(RUN), /Side by side/)
  })

  test('a target is a share of another, an amount, or what may come on top; it is open where something is missing', () => {
    const values = { hyphadb: { get: 0.02 }, hyphadb_worker: { get: 0.14 }, dexie: { get: 0.5 } }
    const judged = judge(targets, 'hyphadb_worker', (name, measure) => values[name]?.[measure], () => undefined)
    const verdicts = judged.filter(({ target }) => target.measure === 'get').map(({ target, isMet }) => `${target.than} ${isMet}`)
    assert.deepEqual(verdicts, ['dexie false', 'hyphadb true', 'best undefined'])
    assert.ok(!judge(targets, 'hyphadb', () => undefined, () => undefined).some(({ target }) => target.only))
  })

  test('every target names a measure, and no measure has the name of another', () => {
    for (const { measure } of targets) assert.ok(measureNamed(measure), measure)
    assert.equal(new Set(measures.map(({ name }) => name)).size, measures.length)
  })
})

describe('the chart', () => {
  test('axes end at round numbers', () => {
    assert.deepEqual([0, 1, 1.1, 21, 26, 480].map(roundUp), [1, 1, 2, 25, 50, 500])
    assert.deepEqual([0, 250, 1_500, 1e6].map(short), ['0', '250', '1.5k', '1M'])
  })

  test('a panel for each measure, a dot for each number, and colours for both schemes', () => {
    const panel = { title: 'Open & get', unit: 'ms', series: [{ name: 'a', points: [[10, 1], [1_000, 2]] }, { name: 'b', points: [[10, 3]] }] }
    const text = chart('Title', 'note', [panel, panel])
    assert.equal(text.match(/<g /g).length, 2)
    assert.equal(text.match(/<circle/g).length, 6)
    assert.match(text, /prefers-color-scheme: dark/)
    assert.match(text, /Open &amp; get, ms/)
    assert.doesNotMatch(text, /NaN|undefined/)
  })
})

describe('the report of growth', () => {
  const result = (documents, open_ms) => ({
    documents, open_ms: [open_ms], first_get_ms: [open_ms + 1], cold_get_ms: [1], warm_get_ms: [0.02], site_ms: [0.5], agent_ms: [2], memory: { wasm_bytes: 1e7 },
    renderer_bytes: 2e8, renderer_empty_bytes: 1e8, stored_bytes: documents * 100, load_before: 1, load_after: 1, filled: { bulk_insert_ms: documents / 100 },
  })
  const run = {
    meta: { browser: 'Made-up/1', version: '0.1', machine: { processor: 'P', cores: 2 } },
    results: [result(10_000, 10), result(1_000_000, 20)],
    walk: { documents: 1_000_000, stored_bytes: 1e8, cache_bytes: 1e7, renderer_highest_bytes: 3e8, memory: [{ wasm_bytes: 2e7, script_bytes: 1e6 }], checked: { ranges: 20, gets: 2_000 } },
  }

  test('says by how much opening has grown, and whether that is too much', () => {
    assert.match(summary(run), /Open with 1,000,000 documents takes 2x of that with 10,000 \(wanted: at most 1\.3x\): NOT MET\./)
    assert.match(summary({ ...run, results: [result(10_000, 10), result(1_000_000, 12)] }), /1\.2x .*: met\./)
    assert.doesNotMatch(summary(run), /NaN|undefined/)
  })

  test('is drawn with a panel for each measure', () => {
    assert.equal(drawing(run).match(/<g /g).length, 6)
    assert.doesNotMatch(drawing(run), /NaN|undefined/)
  })
})

describe('progress', () => {
  const took = (browser, adapter, took_ms) => ({ browser, adapter, took_ms })
  const at = new Date(2026, 0, 1, 12, 0)

  test('a cell is expected to take what the same took, else what its adapter took elsewhere, else what others took', () => {
    const done = [took('chromium', 'idb', 120_000), took('chromium', 'dexie', 240_000), took('firefox', 'dexie', 480_000)]
    assert.equal(progress(done, [{ browser: 'chromium', adapter: 'dexie' }], at), '1 to go, about 4 min, until 12:04')
    assert.equal(progress(done, [{ browser: 'firefox', adapter: 'idb' }], at), '1 to go, about 2 min, until 12:02')
    assert.equal(progress(done, [{ browser: 'firefox', adapter: 'rxdb' }], at), '1 to go, about 4 min, until 12:04')
    assert.equal(progress(done, [], at), 'done')
  })

  test('every round visits every browser, and there every adapter', () => {
    const cells = planned({ browsers: ['b', 'c'], adapters: ['x', 'y'], rounds: 2 }).map(({ browser, adapter, round }) => `${browser}${adapter}${round}`)
    assert.equal(cells.join(' '), 'bx0 by0 cx0 cy0 by1 bx1 cy1 cx1')
  })
})

describe('the profile', () => {
  const frame = (id, functionName, url, children = []) => ({ id, callFrame: { functionName, url }, children })
  const nodes = [
    frame(1, '(root)', '', [2, 3, 4, 11]), frame(2, 'partBegins', '/main.js'), frame(3, 'partEnds', '/main.js'),
    frame(4, 'insertMany', '/pkg/collection.js', [5, 6, 8]), frame(5, 'fields', '/pkg/batch.js'),
    frame(6, '<hyphadb::engine::log::Log as core::ops::Drop>::drop::h1', 'wasm://', [7]), frame(7, 'lz4_flex::block::compress', 'wasm://'),
    frame(8, 'hyphadb::engine::checkpoint::<impl hyphadb::engine::Engine<hyphadb::storage::any::Any>>::write::{{closure}}::h2', 'wasm://', [9]),
    frame(9, 'hyphadb::storage::indexed_db::writes::write', 'wasm://', [10]), frame(10, 'put', ''), frame(11, '(idle)', ''),
  ]

  test('a function is told by its own path, not by what it is generic over', () => {
    assert.equal(pathOf('<hyphadb::value::table::Table as core::default::Default>::default::h1'), 'hyphadb::value::table::Table::default::h1')
    assert.equal(pathOf('hyphadb::engine::merge::<impl hyphadb::storage::Any<T>>::step'), 'hyphadb::engine::merge::::step')
    assert.equal(pathOf('memcmp'), 'memcmp')
  })

  test('a sample counts for the innermost step on its stack, and for the checkpoint wherever there is one', () => {
    const samples = [5, 2, 5, 7, 10, 11, 4, 3, 5]
    const [{ ms }, ...more] = attributed({ nodes, samples, timeDeltas: samples.map((_, place) => (place + 1) * 1_000) })
    assert.equal(more.length, 0)
    assert.deepEqual(Object.fromEntries(Object.entries(ms).filter(([, each]) => each)), { encode: 3, log: 4, checkpoint: 5, waiting: 6, facade: 7 })
  })
})

describe('options', () => {
  test('the first workload is always run, for it loads the database', () => {
    assert.deepEqual(readOptions(['--workloads', 'W9']).workloads, ['W1', 'W9'])
  })

  test('what is not known is refused by name', () => {
    assert.throws(() => readOptions(['--adapters', 'hyphadb,mysql']), /--adapters does not know mysql/)
    assert.throws(() => readOptions(['--docs', '12']), /--docs is `12`/)
    assert.throws(() => readOptions(['--speed']), /--speed/)
    assert.throws(() => readOptions(['--set', 'speed']), /--set does not know speed/)
    assert.match(readOptions(['--help']).help, /npm run bench -- /)
  })
})
