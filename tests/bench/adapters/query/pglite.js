// PGlite on the page, its files in IndexedDB. With relaxed durability queries are answered before anything is written
// there, so what must be on disk is flushed by `persist`.
import { PGlite } from '@electric-sql/pglite'
import { live } from '@electric-sql/pglite/live'

const READINGS = `
  create table if not exists readings (
    id text primary key, ts bigint not null, agent text, site text, kind text, status text, value double precision not null,
    unit text, tags jsonb, note text, volts double precision);`
const FIELDS = 'id text, ts bigint, agent text, site text, kind text, status text, value double precision, unit text, tags jsonb, note text, volts double precision'
const INSERT = `insert into readings select * from json_to_recordset($1::json) as d(${FIELDS})`
const GROUP = 'count(*)::int as n, avg(value) as mean, max(value) as most from readings group by 1'
const HOUR_MS = 3_600_000
const TITLES = `
  create table if not exists titles (
    id text primary key, title text not null, words tsvector generated always as (to_tsvector('simple', title)) stored);
  create index if not exists by_words on titles using gin (words);`
const SEARCH = "select id, title from titles, to_tsquery('simple', $1) as query where words @@ query order by ts_rank(words, query) desc limit $2"

export const without = { Q6: 'PGlite has no JSON Schema' }
/** Each of its live queries is a view, prepared statements and a trigger of its own: thousands of them take minutes. */
export const live_most = 100

class Store {
  #db

  constructor(db) {
    this.#db = db
  }

  insertMany(documents) {
    return this.#db.query(INSERT, [JSON.stringify(documents)])
  }

  insert(document) {
    return this.insertMany([document])
  }

  /** One value of JSON is quicker than rows, of which its driver reads each value by itself. */
  async filter(from, to) {
    const { rows: [{ found }] } = await this.#db.query("select coalesce(json_agg(readings), '[]') as found from readings where value >= $1 and value < $2", [from, to])
    return found
  }

  async bySite() {
    return (await this.#db.query(`select site as _id, ${GROUP}`)).rows
  }

  async byHour() {
    return (await this.#db.query(`select ts / ${HOUR_MS} * ${HOUR_MS} as _id, ${GROUP}`)).rows
  }

  async columns(fields) {
    return (await this.#db.query(`select ${fields.map(field => `json_agg(${field}) as ${field}`)} from readings`)).rows[0]
  }

  async follow(agent, limit, told) {
    await this.#db.live.query({ query: 'select * from readings where agent = $1 order by ts desc limit $2', params: [agent, limit], callback: ({ rows }) => told(rows.map(withoutNothing)) })
  }

  /** The file system's own flush: the database's returns before it is done. */
  persist() {
    return this.#db.fs.syncToFs(false)
  }
}

/** A reading has no voltage where live queries are measured. */
function withoutNothing({ volts, ...reading }) {
  return volts === null ? reading : { ...reading, volts }
}

class Titles {
  #db

  constructor(db) {
    this.#db = db
  }

  insertMany(documents) {
    return this.#db.query('insert into titles (id, title) select id, title from json_to_recordset($1::json) as d(id text, title text)', [JSON.stringify(documents)])
  }

  async search(words, limit) {
    return (await this.#db.query(SEARCH, [words.join(' | '), limit])).rows
  }

  async prefix(letters, limit) {
    return (await this.#db.query(SEARCH, [`${letters}:*`, limit])).rows
  }
}

async function start(name, schema) {
  const db = await PGlite.create(`idb://${name}`, { relaxedDurability: true, extensions: { live } })
  await db.exec(schema)
  return db
}

export const open = async () => new Store(await start('bench', READINGS))
export const openLive = async name => new Store(await start(name, `${READINGS} create index if not exists by_agent_ts on readings (agent, ts);`))
export const openText = async () => new Titles(await start('text', TITLES))
