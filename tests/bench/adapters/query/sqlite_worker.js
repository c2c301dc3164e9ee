// SQLite on OPFS: the worker, with the engine. Write-ahead log, exclusive locking, prepared statements.
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'

const SETTINGS = `
  pragma locking_mode = exclusive;
  pragma journal_mode = wal;
  pragma synchronous = normal;
  pragma cache_size = -65536;`
const FIELDS = ['id', 'ts', 'agent', 'site', 'kind', 'status', 'value', 'unit', 'tags', 'note', 'volts']
const HOUR_MS = 3_600_000
const GROUP = 'count(*), avg(value), max(value) from readings group by 1'
const DOCUMENT = FIELDS.map(field => `'${field}', ${field === 'tags' ? 'json(tags)' : field}`).join(', ')

/** Tables and statements of each database. */
const DATABASES = {
  bench: {
    schema: `create table if not exists readings (
      id text primary key, ts integer not null, agent text, site text, kind text, status text, value real not null, unit text, tags text, note text, volts real);`,
    statements: {
      insert: `insert into readings (${FIELDS}) values (${FIELDS.map(() => '?')})`,
      filter: `select json_object(${DOCUMENT}) from readings where value >= ? and value < ?`,
      sites: `select site, ${GROUP}`,
      hours: `select ts / ${HOUR_MS} * ${HOUR_MS}, ${GROUP}`,
      count: 'select count(*) from readings',
    },
  },
  text: {
    schema: 'create virtual table if not exists titles using fts5(id unindexed, title);',
    statements: {
      insertTitle: 'insert into titles (id, title) values (?, ?)',
      search: "select json_object('id', id, 'title', title) from titles where titles match ? order by rank limit ?",
    },
  },
}
/** The other ways to OPFS would start workers of their own. */
const WITHOUT = { disable: { vfs: { opfs: true, 'opfs-vfs': true, 'opfs-wl': true, kvvfs: true } } }

let db
let statements
let columnDouble

/** Resolves when no other worker has the files: that of a page that was just left may, for a moment. */
function alone(name) {
  return new Promise(resolve => {
    navigator.locks.request(name, () => {
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

/** What `read` makes of each row. */
function rows(statement, values, read) {
  const found = []
  try {
    if (values.length) statement.bind(values)
    while (statement.step()) found.push(read(statement))
  } finally {
    statement.reset()
  }
  return found
}

const documents = (statement, values) => `[${rows(statement, values, row => row.getString(0)).join(',')}]`

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
  async open(name) {
    globalThis.sqlite3ApiConfig = WITHOUT
    const [sqlite3] = await Promise.all([sqlite3InitModule(), alone(name)])
    const pool = await sqlite3.installOpfsSAHPoolVfs({ name })
    db = new pool.OpfsSAHPoolDb(`/${name}.sqlite3`)
    const { schema, statements: texts } = DATABASES[name]
    db.exec(SETTINGS + schema)
    statements = Object.fromEntries(Object.entries(texts).map(([name, sql]) => [name, db.prepare(sql)]))
    columnDouble = sqlite3.capi.sqlite3_column_double
  },

  insert(text) {
    together(() => {
      for (const document of JSON.parse(text)) run(statements.insert, FIELDS.map(field => (field === 'tags' ? JSON.stringify(document.tags) : document[field])))
    })
  },

  filter: (from, to) => documents(statements.filter, [from, to]),

  groups: by => rows(statements[by], [], row => ({ _id: row.get(0), n: row.get(1), mean: row.get(2), most: row.get(3) })),

  /** The least that can be called for each value: the C function that reads a number. */
  columns(fields) {
    const [[total]] = rows(statements.count, [], row => [row.getInt(0)])
    const columns = fields.map(() => new Float64Array(total))
    const statement = db.prepare(`select ${fields} from readings`)
    try {
      for (let place = 0; statement.step(); place++) {
        for (let field = 0; field < fields.length; field++) columns[field][place] = columnDouble(statement.pointer, field)
      }
    } finally {
      statement.finalize()
    }
    return Object.fromEntries(fields.map((field, number) => [field, columns[number]]))
  },

  insertTitles(text) {
    together(() => {
      for (const { id, title } of JSON.parse(text)) run(statements.insertTitle, [id, title])
    })
  },

  search: (match, limit) => documents(statements.search, [match, limit]),
}

/** The buffers of columns are handed over, not copied. */
const handedOver = answer => (answer && typeof answer === 'object' ? Object.values(answer).filter(ArrayBuffer.isView).map(({ buffer }) => buffer) : [])

globalThis.onmessage = async ({ data: { number, method, given } }) => {
  try {
    const answer = await methods[method](...given)
    postMessage({ number, answer }, handedOver(answer))
  } catch (error) {
    postMessage({ number, error: `${error?.name}: ${error?.message ?? error}` })
  }
}
