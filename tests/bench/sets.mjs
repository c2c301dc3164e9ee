// The sets of workloads that `npm run bench` can run: what is measured, what is promised, in which phases a cell runs.
//
// Not the measuring. A set is one report; a run is of one set.
import * as documents from './measures.mjs'
import * as query from './query_measures.mjs'
import { SIZES } from './page/questions.js'
import { VISITS } from './page/query_questions.js'
import { queryTargets } from './query_targets.mjs'
import { targets } from './targets.mjs'

const some = (names, wanted) => names.some(name => wanted.includes(name))

/**
 * - `title`, `about`  of the report; `about` is of the documents
 * - `folder`          where its adapters lie
 * - `kind`            how the page knows its phases
 * - `always`          workloads that are run whatever is asked for
 * - `out`, `takes`, `example`   for the command line: where its report goes, how long it takes, what is quick
 * - `lives(wanted)`   what a cell runs: for each life of the browser its phases, each `{ name, reloads }`, where a phase
 *                     with `reloads` is run after each of so many reloads of one page
 */
export const sets = {
  documents: {
    name: 'documents',
    title: 'Benchmark',
    about: 'documents with three indexes',
    folder: 'adapters',
    kind: 'compare',
    measures: documents.measures,
    targets,
    everyWorkload: documents.everyWorkload,
    always: ['W1'],
    out: 'target/bench.json',
    takes: 'a round of 100,000 documents about 4 minutes a browser, of which Dexie, IndexedDB by hand\nand RxDB take most',
    example: '--adapters hyphadb,limit,dexie --docs 20000 --rounds 1 --workloads W1,W9',
    lives: wanted => [
      [{ name: 'write' }],
      [
        ...(wanted.includes('W10') ? [{ name: 'cold' }, { name: 'reload', reloads: SIZES.reloads }] : []),
        ...(some(['W4', 'W5', 'W5b', 'W6'], wanted) ? [{ name: 'read' }] : []),
        ...(some(['W2', 'W3', 'W9'], wanted) ? [{ name: 'change' }] : []),
      ],
    ],
  },
  query: {
    name: 'query',
    title: 'Benchmark of queries',
    about: 'documents without an index',
    folder: 'adapters/query',
    kind: 'query',
    measures: query.measures,
    targets: queryTargets,
    everyWorkload: query.everyWorkload,
    always: [],
    out: 'target/bench-query.json',
    takes: 'a round of 100,000 documents about 5 minutes a browser, of which Dexie and RxDB\ntake most',
    example: '--adapters hyphadb,dexie,sqlite --docs 20000 --rounds 1 --workloads Q1,Q2',
    lives: wanted => {
      const scans = some(['Q1', 'Q2', 'Q3', 'Q4'], wanted)
      const alone = [['Q5', 'live'], ['Q5', 'crowd'], ['Q6', 'schema'], ['Q7', 'text']].filter(([workload]) => wanted.includes(workload)).map(([, name]) => ({ name }))
      return [...(scans ? [[{ name: 'load' }], [{ name: 'first', reloads: VISITS }, { name: 'again' }]] : []), alone]
    },
  },
}

/** The set of a run; runs that are older than sets are of documents. */
export const setOf = ({ set = 'documents' }) => sets[set]
