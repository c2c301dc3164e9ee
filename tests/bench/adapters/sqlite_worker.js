// SQLite on OPFS: the worker. Documents are kept as JSON, with columns beside for what is asked by.
import { openSqlite, rows, run, serve, together } from './sqlite_engine.js'

const DATABASE = {
  schema: `
  create table if not exists readings (
    id text primary key, ts integer not null, agent text not null, site text not null, status text not null, value real not null, document text not null);
  create index if not exists by_agent on readings (agent);
  create index if not exists by_ts on readings (ts);
  create index if not exists by_site_ts on readings (site, ts);`,
  statements: {
    insert: 'insert into readings (id, ts, agent, site, status, value, document) values (?, ?, ?, ?, ?, ?, ?)',
    get: 'select document from readings where id = ?',
    newest_of_agent: 'select document from readings where agent = ? order by ts desc limit ?',
    newest_of_site: 'select document from readings where site = ? order by ts desc limit ?',
    range: 'select document from readings where ts >= ? and ts < ? order by ts',
    update: "update readings set value = ?1, document = json_set(document, '$.value', ?1) where id = ?2",
    remove: 'delete from readings where id = ?',
    count: 'select count(*) from readings',
  },
}

let db
let statements

const texts = (statement, values = []) => rows(statement, values, row => row.getString(0))
const array = items => `[${items.join(',')}]`

serve({
  async open() {
    ;({ db, statements } = await openSqlite('bench', DATABASE))
  },

  insert(text) {
    const documents = JSON.parse(text)
    together(db, () => {
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
    together(db, () => {
      for (const { id, value } of JSON.parse(text)) run(statements.update, [value, id])
    })
  },

  remove(text) {
    together(db, () => {
      for (const id of JSON.parse(text)) run(statements.remove, [id])
    })
  },

  count: () => Number(texts(statements.count)[0]),
})
