// The page of the codec comparison: times every step of every way, in turns.
//
// Not statistics: it answers with every time it took. Invariants: each way has documents of its own in each round, made
// outside of the timed part, so that no way finds text flattened by another; what comes back is compared with them.
import { Readings } from '../page/documents.js'
import { difference } from '../page/model.js'
import { exactness } from './exactness.js'
import { ways } from './ways.js'

/** Rounds that are not counted: code is compiled, memory grows. */
const WARM_ROUNDS = 3
/** One document takes too short a time to be measured: so many are timed together. */
const SINGLES = 100

const now = () => performance.now()

/** Runs `work` for each, and notes how long one took. */
function timed(times, step, inputs, work) {
  const start = now()
  const answers = inputs.map(work)
  const ms = now() - start
  ;(times[step] ??= []).push(ms / inputs.length)
  return answers
}

/** The bytes of one, on average; of ways without bytes, none. */
const size = list => (list[0] instanceof Uint8Array ? list.reduce((sum, bytes) => sum + bytes.length, 0) / list.length : undefined)

function oneRound(way, sets) {
  const times = {}
  const report = { times }
  if (way.both) return { ...report, back: timed(times, 'both', sets, way.both) }
  const packed = way.pack ? timed(times, 'pack', sets, way.pack) : sets
  report.bytes_in = size(packed)
  let given = packed
  if (way.take) {
    const held = timed(times, 'take', packed, way.take)
    if (way.rows) for (const rows of timed(times, 'rows', held, way.rows)) rows.free()
    given = timed(times, 'give', held, way.give)
    for (const one of held) one.free()
  }
  report.bytes_out = size(given)
  return { ...report, back: way.unpack ? timed(times, 'unpack', given, way.unpack) : given }
}

function collect(result, { times, bytes_in, bytes_out }, isWarm) {
  if (isWarm) for (const [step, list] of Object.entries(times)) (result.times[step] ??= []).push(...list)
  if (bytes_in !== undefined) (result.bytes_in ??= []).push(bytes_in)
  if (bytes_out !== undefined) (result.bytes_out ??= []).push(bytes_out)
}

/** `rounds` rounds of all ways, each beginning with another one. */
function measure(list, { rounds, count, seed }) {
  const readings = new Readings(seed)
  const results = Object.fromEntries(Object.keys(list).map(name => [name, { times: {} }]))
  const names = Object.keys(list)
  const setsOf = round => {
    const from = round * Math.max(count, SINGLES)
    return count === 1 ? readings.slice(from, from + SINGLES).map(document => [document]) : [readings.slice(from, from + count)]
  }
  for (let round = 0; round < rounds + WARM_ROUNDS; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length]
      const { back, ...report } = oneRound(list[name], setsOf(round))
      const different = difference(back, setsOf(round))
      if (different !== undefined) throw new Error(`${name}: ${different}`)
      collect(results[name], report, round >= WARM_ROUNDS)
    }
  }
  const json_bytes = size(setsOf(0).map(documents => new TextEncoder().encode(JSON.stringify(documents))))
  return { count, json_bytes, results }
}

globalThis.compare = async ({ rounds, seed, counts }) => {
  const list = await ways()
  return { exactness: exactness(list), runs: counts.map(count => measure(list, { rounds, count, seed })) }
}
