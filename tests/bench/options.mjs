// The command line of `npm run bench`.
import { parseArgs } from 'node:util'
import { Failure } from '../../setup/process.mjs'
import { browsers } from './browsers.mjs'
import { everyAdapter } from './catalogue.mjs'
import { everyWorkload } from './measures.mjs'

const DOCUMENTS_MIN = 10_000

export const usage = `npm run bench -- [options]

  --adapters a,b     which databases [all]
                     ${everyAdapter.join(' ')}
  --docs n           how many documents, at least ${DOCUMENTS_MIN} [100000]
  --rounds n         how often, each time with other documents [3]
  --workloads W1,W5  which [all]; W1 loads the database and is always run
                     ${everyWorkload.join(' ')}
  --browser a,b      ${Object.keys(browsers).join(' ')} [chromium]
  --seed n           of the first round [1]
  --out file         where to write; the table goes beside it as .md [target/bench.json]
  --pkg folder       a built package of HyphaDB, of another checkout say; nothing is built then [pkg, built first]

How long it takes, on two idle cores: a round of 100,000 documents about 4 minutes a browser for everything, of which Dexie,
IndexedDB by hand and RxDB take most. The report of several browsers has a section for each, and a table that sets them side by
side: npm run bench -- --browser chromium,chromium-sqlite,firefox takes about 40 minutes. While tuning, about a minute:
  npm run bench -- --adapters hyphadb,limit,dexie --docs 20000 --rounds 1
Less where only some of the workloads are of interest:
  npm run bench -- --adapters hyphadb,limit --docs 20000 --rounds 1 --workloads W1,W9
The numbers are for comparing within one run: other work on the machine moves all of them.`

const STRINGS = {
  adapters: everyAdapter.join(','), docs: '100000', rounds: '3', workloads: everyWorkload.join(','), browser: 'chromium', seed: '1', out: 'target/bench.json',
}

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

/** Reads the arguments; `undefined` where help is wanted. */
export function readOptions(args) {
  const values = parsed(args, STRINGS, { pkg: { type: 'string' } })
  if (!values) return undefined
  return {
    adapters: oneOf('adapters', values.adapters, everyAdapter),
    documents: number('docs', values.docs, DOCUMENTS_MIN),
    rounds: number('rounds', values.rounds, 1),
    workloads: [...new Set(['W1', ...oneOf('workloads', values.workloads, everyWorkload)])],
    browsers: oneOf('browser', values.browser, Object.keys(browsers)),
    seed: number('seed', values.seed, 0),
    out: values.out,
    pkg: values.pkg,
  }
}
