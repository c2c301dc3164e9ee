// SQLite on OPFS: what the workers of each set of workloads have in common. Not an adapter. Write-ahead log, exclusive
// locking, prepared statements.
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'

const SETTINGS = `
  pragma locking_mode = exclusive;
  pragma journal_mode = wal;
  pragma synchronous = normal;
  pragma cache_size = -65536;`
/** The other ways to OPFS would start workers of their own. */
const WITHOUT = { disable: { vfs: { opfs: true, 'opfs-vfs': true, 'opfs-wl': true, kvvfs: true } } }

/** Resolves when no other worker has the files: that of a page that was just left may, for a moment. */
function alone(name) {
  return new Promise(resolve => {
    navigator.locks.request(name, () => {
      resolve()
      return new Promise(() => {})
    })
  })
}

/** A database with its schema, and its statements by name. */
export async function openSqlite(name, { schema, statements }) {
  globalThis.sqlite3ApiConfig = WITHOUT
  const [sqlite3] = await Promise.all([sqlite3InitModule(), alone(name)])
  const pool = await sqlite3.installOpfsSAHPoolVfs({ name })
  const db = new pool.OpfsSAHPoolDb(`/${name}.sqlite3`)
  db.exec(SETTINGS + schema)
  const prepared = Object.fromEntries(Object.entries(statements).map(([name, sql]) => [name, db.prepare(sql)]))
  return { sqlite3, db, statements: prepared }
}

/** Runs a statement that has no answer. */
export function run(statement, values) {
  try {
    statement.bind(values).step()
  } finally {
    statement.reset()
  }
}

/** What `read` makes of each row. */
export function rows(statement, values, read) {
  const found = []
  try {
    if (values.length) statement.bind(values)
    while (statement.step()) found.push(read(statement))
  } finally {
    statement.reset()
  }
  return found
}

/** All of `work` in one transaction. */
export function together(db, work) {
  db.exec('begin')
  try {
    work()
    db.exec('commit')
  } catch (error) {
    db.exec('rollback')
    throw error
  }
}

/** The buffers of columns are handed over, not copied. */
const handedOver = answer => (answer && typeof answer === 'object' ? Object.values(answer).filter(ArrayBuffer.isView).map(({ buffer }) => buffer) : [])

/** Answers the page's calls by these methods. */
export function serve(methods) {
  globalThis.onmessage = async ({ data: { number, method, given } }) => {
    try {
      const answer = await methods[method](...given)
      postMessage({ number, answer }, handedOver(answer))
    } catch (error) {
      postMessage({ number, error: `${error?.name}: ${error?.message ?? error}` })
    }
  }
}
