// SQLite on OPFS: the worker. One column per field; a table of FTS5 for texts.
import { openSqlite, rows, run, serve, together } from '../sqlite_engine.js'

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

let db
let statements
let columnDouble

const documents = (statement, values) => `[${rows(statement, values, row => row.getString(0)).join(',')}]`

serve({
  async open(name) {
    const opened = await openSqlite(name, DATABASES[name])
    ;({ db, statements } = opened)
    columnDouble = opened.sqlite3.capi.sqlite3_column_double
  },

  insert(text) {
    together(db, () => {
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
    together(db, () => {
      for (const { id, title } of JSON.parse(text)) run(statements.insertTitle, [id, title])
    })
  },

  search: (match, limit) => documents(statements.search, [match, limit]),
})
