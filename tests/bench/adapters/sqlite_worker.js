// SQLite on OPFS: the worker, with the engine. Write-ahead log, exclusive locking, prepared statements.
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'

const SETTINGS = `
  pragma locking_mode = exclusive;
  pragma journal_mode = wal;
  pragma synchronous = normal;
  pragma cache_size = -65536;`
const SCHEMA = `
  create table if not exists readings (
    id text primary key, ts integer not null, agent text not null, site text not null, status text not null, value real not null, document text not null);
  create index if not exists by_agent on readings (agent);
  create index if not exists by_ts on readings (ts);
  create index if not exists by_site_ts on readings (site, ts);`
const STATEMENTS = {
  insert: 'insert into readings (id, ts, agent, site, status, value, document) values (?, ?, ?, ?, ?, ?, ?)',
  get: 'select document from readings where id = ?',
  newest_of_agent: 'select document from readings where agent = ? order by ts desc limit ?',
  newest_of_site: 'select document from readings where site = ? order by ts desc limit ?',
  range: 'select document from readings where ts >= ? and ts < ? order by ts',
  update: "update readings set value = ?1, document = json_set(document, '$.value', ?1) where id = ?2",
  remove: 'delete from readings where id = ?',
  count: 'select count(*) from readings',
}
/** The other ways to OPFS would start workers of their own. */
const WITHOUT = { disable: { vfs: { opfs: true, 'opfs-vfs': true, 'opfs-wl': true, kvvfs: true } } }

let db
let statements

/** Resolves when no other worker has the files: that of a page that was just left may, for a moment. */
function alone() {
  return new Promise(resolve => {
    navigator.locks.request('bench', () => {
      resolve()
      return new Promise(() => {})
    })
  })
}

function run(statement, values) {
  try {
    statement.bind(values).step()
  } finally {
    statement.reset()
  }
}

function texts(statement, values) {
  const found = []
  try {
    statement.bind(values)
    while (statement.step()) found.push(statement.getString(0))
  } finally {
    statement.reset()
  }
  return found
}

const array = items => `[${items.join(',')}]`

/** All of it in one transaction. */
function together(work) {
  db.exec('begin')
  try {
    work()
    db.exec('commit')
  } catch (error) {
    db.exec('rollback')
    throw error
  }
}

const methods = {
  async open() {
    globalThis.sqlite3ApiConfig = WITHOUT
    const [sqlite3] = await Promise.all([sqlite3InitModule(), alone()])
    const pool = await sqlite3.installOpfsSAHPoolVfs({ name: 'bench' })
    db = new pool.OpfsSAHPoolDb('/bench.sqlite3')
    db.exec(SETTINGS + SCHEMA)
    statements = Object.fromEntries(Object.entries(STATEMENTS).map(([name, sql]) => [name, db.prepare(sql)]))
  },

  insert(text) {
    const documents = JSON.parse(text)
    together(() => {
      for (const document of documents) {
        const { id, ts, agent, site, status, value } = document
        run(statements.insert, [id, ts, agent, site, status, value, JSON.stringify(document)])
      }
    })
  },

  get: ids => array(JSON.parse(ids).map(id => texts(statements.get, [id])[0] ?? 'null')),
  newest: (field, value, limit) => array(texts(statements[`newest_of_${field}`], [value, limit])),
  range: (from, to) => array(texts(statements.range, [from, to])),

  update(text) {
    together(() => {
      for (const { id, value } of JSON.parse(text)) run(statements.update, [value, id])
    })
  },

  remove(text) {
    together(() => {
      for (const id of JSON.parse(text)) run(statements.remove, [id])
    })
  },

  count: () => Number(texts(statements.count)[0]),
}

globalThis.onmessage = async ({ data: { number, method, given } }) => {
  try {
    postMessage({ number, answer: await methods[method](...given) })
  } catch (error) {
    postMessage({ number, error: `${error?.name}: ${error?.message ?? error}` })
  }
}
