// PGlite on the page, its files in IndexedDB. With relaxed durability queries are answered before anything is written
// there, so what must be on disk is flushed by `persist`.
import { PGlite } from '@electric-sql/pglite'

const SCHEMA = `
  create table if not exists readings (
    id text primary key, ts bigint not null, agent text not null, site text not null, status text not null, value double precision not null, document jsonb not null);
  create index if not exists by_agent on readings (agent);
  create index if not exists by_ts on readings (ts);
  create index if not exists by_site_ts on readings (site, ts);`
const INSERT = `
  insert into readings
  select d->>'id', (d->>'ts')::bigint, d->>'agent', d->>'site', d->>'status', (d->>'value')::double precision, d::jsonb
  from json_array_elements($1::json) as d`
const UPDATE = `
  update readings set value = p.value, document = jsonb_set(document, '{value}', to_jsonb(p.value))
  from json_to_recordset($1::json) as p(id text, value double precision) where readings.id = p.id`

class Store {
  #db

  constructor(db) {
    this.#db = db
  }

  async #documents(sql, values) {
    return (await this.#db.query(sql, values)).rows.map(({ document }) => document)
  }

  insertMany(documents) {
    return this.#db.query(INSERT, [JSON.stringify(documents)])
  }

  insert(document) {
    return this.insertMany([document])
  }

  async get(id) {
    return (await this.#documents('select document from readings where id = $1', [id]))[0]
  }

  async getMany(ids) {
    const found = await this.#documents('select document from readings where id = any($1)', [ids])
    const byId = new Map(found.map(document => [document.id, document]))
    return ids.map(id => byId.get(id))
  }

  newest(field, value, limit) {
    return this.#documents(`select document from readings where ${field} = $1 order by ts desc limit $2`, [value, limit])
  }

  range(from, to) {
    return this.#documents('select document from readings where ts >= $1 and ts < $2 order by ts', [from, to])
  }

  update(patches) {
    return this.#db.query(UPDATE, [JSON.stringify(patches)])
  }

  remove(ids) {
    return this.#db.query('delete from readings where id = any($1)', [ids])
  }

  async count() {
    return (await this.#db.query('select count(*)::int as count from readings')).rows[0].count
  }

  /** The file system's own flush: the database's returns before it is done. */
  persist() {
    return this.#db.fs.syncToFs(false)
  }
}

export async function open() {
  const db = await PGlite.create('idb://bench', { relaxedDurability: true })
  await db.exec(SCHEMA)
  return new Store(db)
}
