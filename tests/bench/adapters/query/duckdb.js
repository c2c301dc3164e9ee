// DuckDB in its worker, its database a file on OPFS. Batches go in as Arrow tables; answers come out as Arrow.
import { AsyncDuckDB, DuckDBAccessMode, VoidLogger } from '@duckdb/duckdb-wasm'
import { Field, Float64, Int64, List, Table, Utf8, vectorFromArray } from 'apache-arrow'

const PATH = 'opfs://bench.duckdb'
const HOUR_MS = 3_600_000
const GROUP = 'count(*)::integer as n, avg(value) as mean, max(value) as most from readings group by 1'
const STATEMENTS = {
  filter: 'select * from readings where value >= ? and value < ?',
  sites: `select site as _id, ${GROUP}`,
  hours: `select ts // ${HOUR_MS} * ${HOUR_MS} as _id, ${GROUP}`,
}
/** A worker that ends leaves its files open for a moment. */
const PATIENCE = { tries: 50, pause_ms: 20 }

const TYPES = {
  id: new Utf8(), ts: new Int64(), agent: new Utf8(), site: new Utf8(), kind: new Utf8(), status: new Utf8(), value: new Float64(),
  unit: new Utf8(), tags: new List(new Field('item', new Utf8())), note: new Utf8(), volts: new Float64(),
}
const SCHEMA = `
  create table if not exists readings (
    id varchar, ts bigint, agent varchar, site varchar, kind varchar, status varchar, value double,
    unit varchar, tags varchar[], note varchar, volts double)`

export const without = {
  Q5: 'DuckDB has no live queries', Q6: 'DuckDB has no JSON Schema', Q7: 'full-text search is an extension of DuckDB that is fetched from the network',
}

/** The values of a field; `ts` as the 64 bits that it is stored as. */
function vectorOf(documents, field) {
  const values = documents.map(document => (field === 'ts' ? BigInt(document.ts) : document[field]))
  return vectorFromArray(values, TYPES[field])
}

const rowsOf = table => table.toArray().map(row => row.toJSON())

class Store {
  #connection
  #statements = new Map()

  constructor(connection) {
    this.#connection = connection
  }

  /** Answers a statement, prepared when it is first asked for. */
  async #ask(sql, ...values) {
    if (!this.#statements.has(sql)) this.#statements.set(sql, await this.#connection.prepare(sql))
    return this.#statements.get(sql).query(...values)
  }

  insertMany(documents) {
    const table = new Table(Object.fromEntries(Object.keys(TYPES).map(field => [field, vectorOf(documents, field)])))
    return this.#connection.insertArrowTable(table, { name: 'readings', create: false })
  }

  /** Objects are made from whole columns. */
  async filter(from, to) {
    const found = await this.#ask(STATEMENTS.filter, from, to)
    const columns = Object.fromEntries(Object.keys(TYPES).map(field => [field, field === 'tags' ? found.getChild('tags') : found.getChild(field).toArray()]))
    const { id, ts, agent, site, kind, status, value, unit, tags, note, volts } = columns
    return Array.from({ length: found.numRows }, (_, n) => ({
      id: id[n], ts: ts[n], agent: agent[n], site: site[n], kind: kind[n], status: status[n], value: value[n], unit: unit[n], tags: [...tags.get(n)], note: note[n], volts: volts[n],
    }))
  }

  async bySite() {
    return rowsOf(await this.#ask(STATEMENTS.sites))
  }

  async byHour() {
    return rowsOf(await this.#ask(STATEMENTS.hours))
  }

  async columns(fields) {
    const found = await this.#ask(`select ${fields} from readings`)
    return Object.fromEntries(fields.map(field => [field, found.getChild(field).toArray()]))
  }

  /** Writes the log into the file. */
  persist() {
    return this.#connection.query('checkpoint')
  }
}

async function opened(db) {
  for (let tries = 1; ; tries++) {
    try {
      return await db.open({ path: PATH, accessMode: DuckDBAccessMode.READ_WRITE, query: { castBigIntToDouble: true } })
    } catch (error) {
      if (tries === PATIENCE.tries || !/access handle/i.test(error.message)) throw error
      await new Promise(resolve => setTimeout(resolve, PATIENCE.pause_ms))
    }
  }
}

export async function open() {
  const worker = new Worker(new URL('./duckdb-browser-eh.worker.js', import.meta.url))
  // So that the file is free at once for the page that comes next.
  addEventListener('pagehide', () => worker.terminate())
  const db = new AsyncDuckDB(new VoidLogger(), worker)
  await db.instantiate(new URL('./duckdb-eh.wasm', import.meta.url).href)
  await opened(db)
  const connection = await db.connect()
  await connection.query(SCHEMA)
  return new Store(connection)
}
