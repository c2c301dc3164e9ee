// The report of the codec comparison as Markdown. Plain functions of its JSON.
import { figure, table } from '../report.mjs'
import { median } from '../statistics.mjs'

const BASE = 'hyphadb'
const WAY_IN = ['pack', 'take', 'both']
const WAY_OUT = ['give', 'unpack']

/** Microseconds for one document: of these steps, those that there are; `of` makes one number of many. */
function microseconds({ times }, steps, count, of = median) {
  const found = steps.filter(step => times[step]).map(step => of(times[step]))
  return found.length ? (found.reduce((sum, ms) => sum + ms, 0) * 1_000) / count : undefined
}

/** What is measured of a way, by document. */
function judged(run, name) {
  const result = run.results[name]
  const of = steps => microseconds(result, steps, run.count)
  const leastOf = steps => microseconds(result, steps, run.count, list => Math.min(...list))
  const isWhole = result.times.take !== undefined || result.times.both !== undefined
  const medians = { pack: of(['pack']), take: of(['take']), in: of(WAY_IN), rows: of(['rows']), give: of(['give']), unpack: of(['unpack']), out: of(WAY_OUT) }
  return { result, isWhole, ...medians, in_least: leastOf(WAY_IN), out_least: leastOf(WAY_OUT), pack_least: leastOf(['pack']), unpack_least: leastOf(['unpack']) }
}

const perSecond = (run, us) => (us === undefined ? undefined : run.json_bytes / run.count / us)
const each = (run, bytes) => (bytes === undefined ? '-' : Math.round(median(bytes) / run.count).toLocaleString('en-US'))
const times = (us, base) => (us === undefined ? '-' : `${figure(us / base)}x`)

function timesTable(run) {
  const ours = judged(run, BASE)
  // Like is compared with like: halves with our halves, both ways in one with the sum of ours.
  const base = ({ result, isWhole }) => {
    if (result.times.both) return { in: ours.in_least + ours.out_least }
    return isWhole ? { in: ours.in_least, out: ours.out_least } : { in: ours.pack_least, out: ours.unpack_least }
  }
  const half = ({ result, isWhole }) => (result.times.both ? ' (both ways)' : isWhole ? '' : ' (JavaScript only)')
  const rows = Object.keys(run.results).map(name => {
    const way = judged(run, name)
    const inward = [way.pack, way.take, way.in, way.in_least, perSecond(run, way.in_least)].map(figure)
    const outward = [way.give, way.unpack, way.out, way.out_least, perSecond(run, way.out_least)].map(figure)
    const rows = name === BASE ? 'is rows' : figure(way.rows)
    return [name + half(way), ...inward, times(way.in_least, base(way).in), rows, ...outward, times(way.out_least, base(way).out), each(run, way.result.bytes_in), each(run, way.result.bytes_out)]
  })
  const head = ['way', 'in: pack', 'in: Rust', '**in**', 'least', 'MB/s', 'of ours', 'then rows', 'out: Rust', 'out: unpack', '**out**', 'least', 'MB/s', 'of ours', 'bytes in', 'bytes out']
  return table(head, rows)
}

function exactnessTable({ exactness }) {
  const names = Object.keys(exactness[0].outcomes)
  return table(['', ...names], exactness.map(({ label, outcomes }) => [label, ...names.map(name => outcomes[name])]))
}

const WORDS = `A way in ends in what Rust holds, a way out begins there; both sides of the wasm boundary and the copies over it are in
the times. Ours ends in rows, which is what the engine stores. The others end in trees, and *then rows* is what the engine would
have to add; a struct that is known when the program is compiled is no choice for documents of users, it is the best that serde
can do. structuredClone goes there and back in one, without bytes: it is what \`postMessage\` and IndexedDB do to objects. MB/s
count the documents as JSON, whatever the way makes of them. *Of ours* compares like with like: a way of JavaScript alone with our
half in JavaScript, structuredClone with our way in and our way out together. *Least* is the quickest round: on a busy machine a
long step is interrupted more often than a short one, and medians then flatter what is quick; MB/s and *of ours* are of the least.`

/** The report of a run: `{ meta, exactness, runs }`. */
export function codecReport(run) {
  const { meta, runs } = run
  return `${[
    '# The codec of the boundary, compared',
    `Readings of ${Math.round(runs[0].json_bytes / runs[0].count)} bytes of JSON; ${meta.rounds} interleaved rounds, medians and the least; us per document. ${meta.browser}, ${meta.machine.processor}, ${meta.machine.cores} cores, load ${meta.load_before} to ${meta.load_after}; msgpackr ${meta.versions.msgpackr}, serde-wasm-bindgen ${meta.versions['serde-wasm-bindgen']}, serde_json ${meta.versions.serde_json}, rmp-serde ${meta.versions['rmp-serde']}; begun ${meta.began}. Made by \`npm run bench:codec\`.`,
    WORDS,
    ...runs.map(one => `## ${one.count === 1 ? 'One document' : `${one.count.toLocaleString('en-US')} documents at once`}\n\n${timesTable(one)}`),
    `## What each way can carry\n\nThere and back, alone and among others.\n\n${exactnessTable(run)}`,
  ].join('\n\n')}\n`
}
