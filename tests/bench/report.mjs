// The report of a run as Markdown: conditions, medians, ratios, losses, targets.
//
// Plain functions of the run's JSON: the same run always gives the same text. Nothing is left out because it looks bad: a
// failed cell is named, and where HyphaDB is slower than another database there is a line that says so.
import { browsers } from './browsers.mjs'
import { catalogue } from './catalogue.mjs'
import { measureNamed, measured, titleOf } from './measures.mjs'
import { setOf, sets } from './sets.mjs'
import { median, ratio } from './statistics.mjs'
import { judge } from './targets.mjs'

/** A number as people read it: three digits that count. */
export function figure(value) {
  if (value === undefined) return '-'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** What is shorter than a step of the clock cannot be told from nothing. */
const amount = (medians, measure, value) => (measure.unit === 'ms' && value < medians.clock_ms ? `<${medians.clock_ms}` : figure(value))

const times = share => (share === undefined ? '-' : `${figure(share)}x`)

/** A table of Markdown; the first column is text, the others are numbers. */
export function table(head, rows) {
  const line = cells => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, column) => (column ? '---:' : '---'))), ...rows.map(line)].join('\n')
}

/** An amount with its unit. */
const withUnit = (text, unit) => (unit === 'x' ? `${text}x` : `${text} ${unit}`)

/** The medians of one browser's cells in a run of `set`. */
export class Medians {
  #cells

  constructor(cells, adapters, clock_ms, set = sets.documents) {
    this.clock_ms = clock_ms
    this.set = set
    this.#cells = cells.filter(cell => !cell.error && !cell.note)
    this.adapters = adapters.filter(name => this.#of(name).length)
    this.documents = Math.max(0, ...this.#cells.map(cell => cell.documents))
  }

  #of(adapter) {
    return this.#cells.filter(cell => cell.adapter === adapter)
  }

  documentsOf(adapter) {
    return this.#of(adapter)[0]?.documents
  }

  value(adapter, measure) {
    return measured(measure, this.#of(adapter))
  }

  /** For comparing: what is below the clock's step counts as a step; fewer documents cannot be compared. */
  comparable(adapter, measure) {
    if (this.documentsOf(adapter) !== this.documents && measure.workload !== 'W12') return undefined
    const value = this.value(adapter, measure)
    return value !== undefined && measure.unit === 'ms' ? Math.max(value, this.clock_ms) : value
  }

  named(measure) {
    return measureNamed(measure, this.set.measures)
  }

  /** The best database other than ours that keeps its data, with all of the documents. */
  best(measure, among = this.adapters) {
    const peers = among
      .filter(name => !catalogue[name].ours && !catalogue[name].isLimit && !catalogue[name].not_kept?.includes(measure.name))
      .filter(name => this.documentsOf(name) === this.documents)
      .map(name => ({ name, value: this.comparable(name, measure) }))
      .filter(({ value }) => value !== undefined)
    return peers.sort((a, b) => a.value - b.value)[0]
  }
}

/** How a measure is called where its numbers stand without their unit. */
const headed = measure => (measure.unit === 'x' ? titleOf(measure) : `${titleOf(measure)}, ${measure.unit}`)

function heading(medians, adapter) {
  const documents = medians.documentsOf(adapter)
  return documents === medians.documents ? adapter : `${adapter} (${documents.toLocaleString('en-US')} docs)`
}

/** What was measured in one of these browsers at least. */
function filled(...all) {
  return all[0].set.measures.filter(measure => all.some(medians => medians.adapters.some(adapter => medians.value(adapter, measure) !== undefined)))
}

function absolutes(medians) {
  const rows = filled(medians).map(measure => [
    headed(measure),
    ...medians.adapters.map(adapter => amount(medians, measure, medians.value(adapter, measure))),
  ])
  return table(['', ...medians.adapters.map(adapter => heading(medians, adapter))], rows)
}

function ratios(medians, base) {
  const rows = filled(medians).filter(({ unit }) => unit !== 'x').map(measure => [
    titleOf(measure),
    ...medians.adapters.map(adapter => times(ratio(medians.comparable(adapter, measure), medians.comparable(base, measure)))),
  ])
  return table(['', ...medians.adapters.map(adapter => heading(medians, adapter))], rows)
}

/** Where ours is slower or larger than the best peer. */
export function losses(medians, ours) {
  return medians.set.measures
    .filter(measure => !measure.isTotal && measure.unit !== 'x')
    .map(measure => ({ measure, value: medians.comparable(ours, measure), best: medians.best(measure) }))
    .filter(({ value, best }) => value !== undefined && best !== undefined && value > best.value)
    .map(({ measure, value, best }) => ({ measure, value, best, share: ratio(value, best.value) }))
}

function lossLines(medians, ours) {
  const list = losses(medians, ours)
  if (!medians.set.measures.some(measure => medians.best(measure))) return `${ours}: no other database was run.`
  if (!list.length) return `${ours}: none.`
  return list
    .map(({ measure, value, best, share }) => `- ${ours}: ${titleOf(measure)}: ${amount(medians, measure, value)} ${measure.unit}, ${best.name} ${amount(medians, measure, best.value)} (${times(share)})`)
    .join('\n')
}

const limitOf = most => (most >= 0.3 ? `${most}x` : `1/${Math.round(1 / most)}`)

/** What a target asks for, in words. */
function wish(medians, { measure, than, among, most, added, isStretch }) {
  const { unit } = medians.named(measure)
  const stretch = isStretch ? ' (stretch)' : ''
  if (added !== undefined) return `<= ${added} ${unit} more than ${than}${stretch}`
  if (than === 'number') return `<= ${withUnit(most, unit)}${stretch}`
  const best = among ? `the best of ${among.join(', ')}` : 'the best peer'
  return `<= ${limitOf(most)} of ${than === 'best' ? best : than}${stretch}`
}

/** What was measured, in the words of the target: an amount or a ratio. */
function found(medians, { target, value, base, peer, share }) {
  const { unit } = medians.named(target.measure)
  if (target.added !== undefined) return `${figure(value - base)} ${unit} more`
  if (target.than === 'number') return withUnit(figure(value), unit)
  return `${times(share)}${target.than === 'best' ? ` (${peer})` : ''}`
}

function verdict({ target, value, share, isMet }) {
  if (isMet || target.added !== undefined) return isMet ? 'met' : 'NOT MET'
  return `NOT MET, ${figure((target.than === 'number' ? value : share) / target.most)}x too much`
}

function targetRow(medians, judged) {
  const measure = medians.named(judged.target.measure)
  const base = judged.base === undefined ? '-' : amount(medians, measure, judged.base)
  const value = withUnit(amount(medians, measure, judged.value), measure.unit)
  return [titleOf(measure), wish(medians, judged.target), value, base, found(medians, judged), verdict(judged)]
}

/** The targets of which everything was measured. */
function judgedTargets(medians, ours) {
  const judged = judge(
    medians.set.targets,
    ours,
    (adapter, name) => medians.comparable(adapter, medians.named(name)),
    (name, among) => medians.best(medians.named(name), among?.filter(each => medians.adapters.includes(each))),
  )
  return judged.filter(({ isMet }) => isMet !== undefined)
}

const metOf = asked => `${asked.filter(({ isMet }) => isMet).length} of ${asked.length}`

function targetTable(medians, ours) {
  const asked = judgedTargets(medians, ours)
  return `${metOf(asked)} met.\n\n${table(['target', 'wanted', ours, 'other', 'measured', ''], asked.map(each => targetRow(medians, each)))}`
}

/** How busy the machine was; a run on a machine that had other work says so. */
function loadOf(cells, cores) {
  const loads = cells.flatMap(cell => [cell.load_before, cell.load_after]).filter(value => value !== undefined)
  if (!loads.length) return 'unknown'
  const busy = median(loads) > cores ? '; it had other work to do, so trust ratios only, and those with care' : ''
  return `${figure(Math.min(...loads))} to ${figure(Math.max(...loads))}, median ${figure(median(loads))}${busy}`
}

function failures(cells) {
  const whole = cells.filter(cell => cell.error || cell.note).map(cell => `- ${cell.adapter}, round ${cell.round + 1}: ${cell.error ? `FAILED: ${cell.error}` : `left out: ${cell.note}`}`)
  const parts = cells.flatMap(({ adapter, notes = {} }) => Object.entries(notes).map(([workload, note]) => `- ${adapter}, ${workload}: left out: ${note}`))
  return [...new Set([...whole, ...parts])]
}

const cellsOf = (name, run) => run.cells.filter(cell => cell.browser === name)
const mediansOf = (name, run) => new Medians(cellsOf(name, run), run.meta.adapters, browsers[name].clock_ms, setOf(run.meta))
const oursAmong = medians => medians.adapters.filter(adapter => catalogue[adapter].ours)

/** HyphaDB in every browser that was measured, and what it makes of the others there; nothing where that is one. */
function sideBySide(run) {
  const each = run.meta.browsers.filter(name => cellsOf(name, run).length).map(name => ({ name, medians: mediansOf(name, run) }))
  if (each.length < 2) return ''
  const columns = each.flatMap(({ name, medians }) => oursAmong(medians).map(adapter => ({ name, medians, adapter })))
  const rows = filled(...each.map(({ medians }) => medians)).map(measure => [
    headed(measure),
    ...columns.flatMap(({ medians, adapter }) => [
      amount(medians, measure, medians.value(adapter, measure)),
      measure.unit === 'x' ? '-' : times(ratio(medians.comparable(adapter, measure), medians.comparable('dexie', measure))),
    ]),
  ])
  const met = ['targets met', ...columns.flatMap(({ medians, adapter }) => [metOf(judgedTargets(medians, adapter)), ''])]
  const head = ['', ...columns.flatMap(({ name, adapter }) => [`${adapter}, ${name}`, 'of dexie'])]
  return `## Side by side\n\nMedians of HyphaDB in each browser, and what they are of Dexie's in the same.\n\n${table(head, [met, ...rows])}`
}

/** The part of one browser. */
function section(name, run) {
  const cells = cellsOf(name, run)
  if (!cells.length) return ''
  const medians = mediansOf(name, run)
  const ours = oursAmong(medians)
  const parts = [
    `## ${cells[0].browser_version ?? name}: ${browsers[name].about}`,
    `Machine load (of ${run.meta.machine.cores} cores) around the cells: ${loadOf(cells, run.meta.machine.cores)}. The clock's step is ${medians.clock_ms} ms; in ratios a shorter time counts as one step.`,
    ...(failures(cells).length ? [failures(cells).join('\n')] : []),
    `Medians.\n\n${absolutes(medians)}`,
    ...['dexie', 'limit'].filter(base => medians.adapters.includes(base)).map(base => `Relative to ${base} (below 1: quicker, or smaller).\n\n${ratios(medians, base)}`),
    ...ours.map(adapter => `Targets, ${adapter}: ${targetTable(medians, adapter)}`),
    ...(ours.length ? [`Losses: where the best database that keeps its data is quicker or smaller.\n\n${ours.map(adapter => lossLines(medians, adapter)).join('\n')}`] : []),
  ]
  return parts.join('\n\n')
}

function conditions({ meta, cells }) {
  const { machine } = meta
  const set = setOf(meta)
  const rows = meta.adapters.map(name => [name, meta.versions[name], catalogue[name].configuration[set.name]])
  const rounds = new Set(cells.map(cell => cell.round)).size
  return [
    `# ${set.title}`,
    `${meta.documents.toLocaleString('en-US')} ${set.about}, ${rounds} of ${meta.rounds} rounds, seeds ${meta.seed} to ${meta.seed + meta.rounds - 1}, begun ${meta.began}.`,
    `${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB, ${machine.system}, node ${machine.node}. Times of a cell are medians or percentiles of its samples; what is shown is the median of the rounds. Compare within a run: other work on the machine moves all numbers.`,
    `| adapter | version | configuration |\n| --- | --- | --- |\n${rows.map(row => `| ${row.join(' | ')} |`).join('\n')}`,
  ].join('\n\n')
}

/** The report of a run: `{ meta, cells }` as the runner makes them. */
export function reportOf(run) {
  return `${[conditions(run), sideBySide(run), ...run.meta.browsers.map(name => section(name, run))].filter(Boolean).join('\n\n')}\n`
}
