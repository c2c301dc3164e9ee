// Q6: bulk inserts with and without a JSON Schema of ten properties.
//
// Two databases whose batches take turns, of the same documents; each is first every other time.
import { Readings } from './documents.js'
import { SCHEMA_BATCHES } from './query_questions.js'
import { SIZES } from './questions.js'
import { check } from './run.js'

const text = { type: 'string', maxLength: 100 }

/** What every reading is. */
const SCHEMA = {
  type: 'object',
  properties: {
    id: { type: 'string', minLength: 24, maxLength: 24 },
    ts: { type: 'integer', minimum: 0, maximum: 4_000_000_000_000 },
    agent: text,
    site: text,
    kind: { type: 'string', enum: ['temperature', 'humidity', 'pressure', 'vibration', 'current'] },
    status: { type: 'string', enum: ['ok', 'warn'] },
    value: { type: 'number', minimum: 0, maximum: 100 },
    unit: { type: 'string', enum: ['C', '%', 'hPa', 'mm/s', 'A'] },
    tags: { type: 'array', items: { type: 'string' }, maxItems: 3 },
    note: text,
  },
  required: ['id', 'ts', 'agent', 'site', 'kind', 'status', 'value', 'unit', 'tags', 'note'],
  additionalProperties: false,
}

/** The phase. */
export async function schema(run) {
  const openSchema = await run.opener('Q6', 'openSchema')
  if (!openSchema) return
  const stores = { schema_without: await openSchema('without'), schema_with: await openSchema('with', SCHEMA) }
  const readings = new Readings(run.seed)
  const { least, most, enough_ms } = SCHEMA_BATCHES
  const start = performance.now()
  let total = 0
  for (let batch = 0; batch <= most && (batch <= least || performance.now() - start < enough_ms); batch++) {
    const documents = readings.slice(total, total + SIZES.batch)
    total += SIZES.batch
    const series = Object.keys(stores)
    for (const name of batch % 2 ? series.reverse() : series) {
      const inserting = () => stores[name].insertMany(documents)
      await (batch ? run.time(name, inserting) : inserting())
    }
  }
  for (const name in stores) check(`count ${name}`, await stores[name].count(), total)
  const wrong = { ...readings.at(total), value: 'much' }
  const answer = await stores.schema_with.insertMany([wrong]).then(() => 'written', () => 'refused')
  check('a document that is not valid', answer, 'refused')
}
