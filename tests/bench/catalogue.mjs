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
 * - `configuration`   in words, for the report, by the set of workloads; it is in those sets only
 * - `documents_max`   it is given no more than this; its numbers are then left out of comparisons
 * - `assets`          files that lie beside its script, by their place in a package
 * - `workers`         the names of its workers' scripts, which lie beside its own
 * - `external`        modules that its browser build names and never loads
 * - `ours`            HyphaDB: compared with the others, not one of those it is compared with
 * - `usesWorker`      HyphaDB's own worker is part of what is served
 * - `isLimit`         not a database
 * - `not_kept`        measures whose answer comes before anything was handed to the browser's storage
 */
export const catalogue = {
  limit: {
    isLimit: true,
    configuration: {
      documents: 'not a database: the bytes of the documents in 256 KiB values, one relaxed transaction (encoding not timed, but in updates); opening reads every byte; reads from maps and arrays in memory, decoding not timed',
    },
  },
  idb: {
    configuration: {
      documents: 'IndexedDB by hand: one record per document, relaxed, one transaction per batch, pipelined requests',
      query: 'IndexedDB by hand: getAll() of everything, then a loop',
    },
  },
  dexie: {
    package: 'dexie',
    configuration: {
      documents: "chromeTransactionDurability 'relaxed'; bulkAdd, bulkGet, bulkUpdate, bulkDelete",
      query: "relaxed; .filter().toArray(); .each() into a Map; liveQuery; words as a multi-entry index, ranked by how many are there",
    },
    not_kept: ['live_1', 'live_100'],
  },
  rxdb: {
    package: 'rxdb',
    configuration: {
      documents: 'Dexie storage (free), multiInstance false, eventReduce true, no validator; answers as toJSON()',
      query: 'Dexie storage (free), multiInstance false, eventReduce true; find().exec() and a loop; find().$; its ajv validator where schemas are held',
    },
  },
  pouchdb: { package: 'pouchdb-core', documents_max: 20_000, configuration: { documents: 'indexeddb adapter, Mango indexes' } },
  sqlite: {
    package: '@sqlite.org/sqlite-wasm',
    configuration: {
      documents: 'dedicated worker, opfs-sahpool, WAL, exclusive locking, synchronous=NORMAL, 64 MiB cache, prepared statements; columns and the document as JSON; answers cross as one string of JSON',
      query: 'dedicated worker, opfs-sahpool, WAL, exclusive locking, 64 MiB cache, prepared statements; one column per field; objects cross as one string of JSON, columns as typed arrays; FTS5',
    },
    workers: ['sqlite_worker'],
    assets: [['@sqlite.org/sqlite-wasm', 'dist/sqlite3.wasm']],
  },
  pglite: {
    package: '@electric-sql/pglite',
    configuration: {
      documents: 'on the page, idb://, relaxedDurability: a query is answered before anything is written; W1, W3, W9 end with a real flush, W2 does not; columns and the document as jsonb',
      query: 'on the page, idb://, relaxedDurability (a write is answered before it is kept; the load ends with a real flush); one column per field; its live extension; tsvector with GIN',
    },
    assets: ['pglite.wasm', 'pglite.data', 'initdb.wasm'].map(file => ['@electric-sql/pglite', `dist/${file}`]),
    external: ['fs', 'fs/promises', 'path', 'util', 'zlib', 'stream', 'stream/promises', 'module', 'crypto', 'node:*'],
    not_kept: ['insert', 'insert_p95', 'insert_slowest', 'live_bare', 'live_1', 'live_100'],
  },
  duckdb: {
    package: '@duckdb/duckdb-wasm',
    configuration: { query: 'its own worker, EH bundle (one thread), a database file on OPFS, loaded as Arrow tables, prepared statements; one column per field; answers as Arrow, made objects or typed arrays' },
    assets: ['duckdb-eh.wasm', 'duckdb-browser-eh.worker.js'].map(file => ['@duckdb/duckdb-wasm', `dist/${file}`]),
  },
  hyphadb: { ours: true, configuration: { documents: 'defaults: on the page, relaxed', query: 'defaults: on the page, relaxed; no index but where live queries and text want one' } },
  hyphadb_worker: { ours: true, usesWorker: true, configuration: { documents: "thread: 'worker', otherwise defaults", query: "thread: 'worker', otherwise as hyphadb" } },
}

/** The adapters of a set of workloads: what is run without `--adapters`. */
export const adaptersOf = set => Object.keys(catalogue).filter(name => catalogue[name].configuration[set])

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
