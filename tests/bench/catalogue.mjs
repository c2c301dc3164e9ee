// The adapters that there are: which package, which configuration, and what may be said of their numbers.
//
// Not their code, which is in `adapters/`. A further adapter is a file there and an entry here.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { capture } from '../../setup/process.mjs'
import { inProject, manifest } from '../../setup/environment.mjs'

const PEERS = inProject('tests/bench/node_modules')

/**
 * - `package`         the npm package whose version is told; the first of several
 * - `configuration`   in words, for the report
 * - `documents_max`   it is given no more than this; its numbers are then left out of comparisons
 * - `assets`          files that lie beside its script, by their place in a package
 * - `workers`         scripts of its workers, by the name that they are served under
 * - `external`        modules that its browser build names and never loads
 * - `ours`            HyphaDB: compared with the others, not one of those it is compared with
 * - `usesWorker`      HyphaDB's own worker is part of what is served
 * - `isLimit`         not a database
 * - `not_kept`        measures whose answer comes before anything was handed to the browser's storage
 */
export const catalogue = {
  limit: {
    isLimit: true,
    configuration: 'not a database: the bytes of the documents in 256 KiB values, one relaxed transaction (encoding not timed, but in updates); opening reads every byte; reads from maps and arrays in memory, decoding not timed',
  },
  idb: { configuration: 'IndexedDB by hand: one record per document, relaxed, one transaction per batch, pipelined requests' },
  dexie: { package: 'dexie', configuration: "chromeTransactionDurability 'relaxed'; bulkAdd, bulkGet, bulkUpdate, bulkDelete" },
  rxdb: { package: 'rxdb', configuration: 'Dexie storage (free), multiInstance false, eventReduce true, no validator; answers as toJSON()' },
  pouchdb: { package: 'pouchdb-core', documents_max: 20_000, configuration: 'indexeddb adapter, Mango indexes' },
  sqlite: {
    package: '@sqlite.org/sqlite-wasm',
    configuration: 'dedicated worker, opfs-sahpool, WAL, exclusive locking, synchronous=NORMAL, 64 MiB cache, prepared statements; columns and the document as JSON; answers cross as one string of JSON',
    workers: { sqlite_worker: 'adapters/sqlite_worker.js' },
    assets: [['@sqlite.org/sqlite-wasm', 'dist/sqlite3.wasm']],
  },
  pglite: {
    package: '@electric-sql/pglite',
    configuration: 'on the page, idb://, relaxedDurability: a query is answered before anything is written; W1, W3, W9 end with a real flush, W2 does not; columns and the document as jsonb',
    assets: ['pglite.wasm', 'pglite.data', 'initdb.wasm'].map(file => ['@electric-sql/pglite', `dist/${file}`]),
    external: ['fs', 'fs/promises', 'path', 'util', 'zlib', 'stream', 'stream/promises', 'module', 'crypto', 'node:*'],
    not_kept: ['insert', 'insert_p95', 'insert_slowest'],
  },
  hyphadb: { ours: true, configuration: 'defaults: on the page, relaxed' },
  hyphadb_worker: { ours: true, usesWorker: true, configuration: "thread: 'worker', otherwise defaults" },
}

/** What is run without `--adapters`. */
export const everyAdapter = Object.keys(catalogue)

/** Whether adapters come from npm, so that npm has to be asked before they can be run. */
export const needPeers = names => names.some(name => catalogue[name].package)

/** The commit of the checkout that a package was built in, with a word where it was changed since. */
async function commitOf(pkg) {
  const head = await capture('git', ['-C', pkg, 'describe', '--always', '--dirty', '--exclude=*'])
  return head.code === 0 ? head.stdout.trim() : 'no commit'
}

async function packageVersion(name) {
  return JSON.parse(await readFile(join(PEERS, name, 'package.json'), 'utf8')).version
}

/** The version of an adapter's database, for the report; ours is the package in the folder `pkg`. */
export async function versionOf(name, pkg) {
  const entry = catalogue[name]
  if (entry.ours) return `${manifest().version} (${await commitOf(pkg)})`
  return entry.package ? packageVersion(entry.package) : "the browser's"
}

/** Where a file of a package lies. */
export const inPackage = (name, file) => join(PEERS, name, file)
