// The command line of `npm run bench` and `npm run bench:query`.
import { parseArgs } from 'node:util'
import { Failure } from '../../setup/process.mjs'
import { browsers } from './browsers.mjs'
import { adaptersOf } from './catalogue.mjs'
import { sets } from './sets.mjs'

const DOCUMENTS_MIN = 10_000
const NAMES = { documents: 'bench', query: 'bench:query' }

const usageOf = ({ name, everyWorkload, always, out, takes, example }) => `npm run ${NAMES[name]} -- [options]

  --adapters a,b     which databases [all]
                     ${adaptersOf(name).join(' ')}
  --docs n           how many documents, at least ${DOCUMENTS_MIN} [100000]
  --rounds n         how often, each time with other documents [3]
  --workloads a,b    which [all]${always.length ? `; ${always} loads the database and is always run` : ''}
                     ${everyWorkload.join(' ')}
  --browser a,b      ${Object.keys(browsers).join(' ')} [chromium]
  --seed n           of the first round [1]
  --out file         where to write; the table goes beside it as .md [${out}]
  --pkg folder       a built package of HyphaDB, of another checkout say; nothing is built then [pkg, built first]
  --set name         which set of workloads: ${Object.keys(sets).join(' ')} [${name}]

How long it takes, on two idle cores: ${takes}. The report of several browsers has a section for each, and a table
that sets them side by side. While tuning, about a minute:
  npm run ${NAMES[name]} -- ${example}
The numbers are for comparing within one run: other work on the machine moves all of them.`

const stringsOf = set => ({
  set: set.name, adapters: adaptersOf(set.name).join(','), docs: '100000', rounds: '3', workloads: set.everyWorkload.join(','), browser: 'chromium', seed: '1', out: set.out,
})

export function oneOf(name, given, known) {
  const names = given.split(',').filter(Boolean)
  const unknown = names.filter(each => !known.includes(each))
  if (!names.length || unknown.length) throw new Failure(`--${name} does not know ${unknown.join(', ') || 'nothing'}`, `there are: ${known.join(' ')}`)
  return [...new Set(names)]
}

export function number(name, given, least) {
  const value = Number(given)
  if (!Number.isSafeInteger(value) || value < least) throw new Failure(`--${name} is \`${given}\`, not a whole number from ${least} up`)
  return value
}

/** The values of options that take a text, which is their default here; `undefined` where help is wanted. */
export function parsed(args, defaults, more = {}) {
  const options = Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, { type: 'string', default: value }]))
  try {
    const { values } = parseArgs({ args, options: { ...options, ...more, help: { type: 'boolean', default: false } } })
    return values.help ? undefined : values
  } catch (error) {
    throw new Failure(error.message, 'see what there is: --help')
  }
}

/** The set that the arguments name: what else they may say depends on it. */
function setAmong(args) {
  const { values } = parseArgs({ args, options: { set: { type: 'string', default: 'documents' } }, strict: false })
  const [name] = oneOf('set', String(values.set), Object.keys(sets))
  return sets[name]
}

/** Reads the arguments; `{ help }`, a text, where that is wanted. */
export function readOptions(args) {
  const set = setAmong(args)
  const values = parsed(args, stringsOf(set), { pkg: { type: 'string' } })
  if (!values) return { help: usageOf(set) }
  return {
    set,
    adapters: oneOf('adapters', values.adapters, adaptersOf(set.name)),
    documents: number('docs', values.docs, DOCUMENTS_MIN),
    rounds: number('rounds', values.rounds, 1),
    workloads: [...new Set([...set.always, ...oneOf('workloads', values.workloads, set.everyWorkload)])],
    browsers: oneOf('browser', values.browser, Object.keys(browsers)),
    seed: number('seed', values.seed, 0),
    out: values.out,
    pkg: values.pkg,
  }
}
