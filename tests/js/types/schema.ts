// Types of documents, inferred from schemas.
import { memory, open, type Collection, type FromSchema, type InferInput, type InferOutput } from 'hyphadb'
import * as v from 'valibot'
import { z } from 'zod'
import { expect, type Same } from './data.js'

const tree = {
  type: 'object',
  properties: { label: { type: 'string' }, children: { type: 'array', items: { $ref: '#' } } },
  required: ['label'],
} as const

const db = await open({
  name: 'a',
  storage: memory(),
  collections: {
    readings: {
      key: 'id',
      indexes: ['site', ['site', 'ts']],
      schema: {
        type: 'object',
        properties: {
          id: { type: 'string' },
          site: { enum: ['north', 'south'] },
          value: { type: ['number', 'null'] },
          ts: { 'x-type': 'date' },
          unit: { type: 'string', default: 'C' },
          place: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
          tags: { type: 'array', items: { type: 'string' } },
        },
        required: ['id', 'site'],
      },
    },
    checked: { schema: z.object({ id: z.string(), n: z.number().default(5), at: z.date().optional() }) },
    trees: { schema: tree },
    loose: { key: 'id' },
  },
})

const readings = db.collection('readings')
type Reading = NonNullable<Awaited<ReturnType<typeof readings.get>>>
interface ExpectedReading {
  id: string
  site: 'north' | 'south'
  unit: string
  value?: number | null
  ts?: Date
  place?: { city: string }
  tags?: string[]
}
expect<Same<Reading, { [K in keyof ExpectedReading]: ExpectedReading[K] }>>()
await readings.insertOne({ id: 'a', site: 'north' })
await readings.insertOne({ site: 'north', value: null, ts: new Date() })
await readings.updateOne({ 'place.city': 'x', site: 'south' }, { $set: { value: 5, tags: ['a'] }, $inc: { value: 1 } })
// @ts-expect-error not a site
await readings.insertOne({ id: 'a', site: 'west' })
// @ts-expect-error the site is missing
await readings.insertOne({ id: 'a' })
// @ts-expect-error a string
await readings.insertOne({ id: 'a', site: 'north', value: '5' })
// @ts-expect-error no such field
await readings.find({ cite: 'north' }).toArray()
// @ts-expect-error a date
await readings.updateOne({ id: 'a' }, { $set: { ts: 5 } })

const checked = db.collection('checked')
expect<Same<typeof checked, Collection<{ id: string; n: number; at?: Date | undefined }, { id: string; n?: number | undefined; at?: Date | undefined }>>>()
await checked.insertOne({ id: 'a' })
// @ts-expect-error a number
await checked.put({ id: 'a', n: '5' })
await db.transaction(async (tx) => {
  await tx.collection('checked').insertOne({ id: 'a' })
  // @ts-expect-error the id is there by its type, but not a number
  await tx.collection('checked').insertOne({ id: 5 })
})

// A schema that refers to itself has a type that ends.
const trees = db.collection('trees')
const found = await trees.findOne({ label: 'x' })
found?.children?.[0]?.children?.[0]?.label satisfies string | undefined
// @ts-expect-error a string
found?.children?.[0]?.label satisfies number | undefined

const anything = await db.collection('loose').findOne()
anything?.whatever satisfies string
// @ts-expect-error no such collection
db.collection('reading')
// @ts-expect-error not an option of a collection
await open({ name: 'a', collections: { readings: { kee: 'id' } } })
// @ts-expect-error not a schema
await open({ name: 'a', collections: { readings: { schema: 5 } } })
// @ts-expect-error not a validation
await open({ name: 'a', collections: { readings: { schema: {}, validation: 'never' } } })

const valibot = v.object({ id: v.string(), n: v.optional(v.number(), 5) })
expect<Same<InferOutput<typeof valibot>, { id: string; n: number }>>()
expect<Same<InferInput<typeof valibot>, { id: string; n?: number | undefined }>>()

expect<Same<FromSchema<{ const: 5 }>, 5>>()
expect<Same<FromSchema<true>, any>>()
expect<Same<FromSchema<false>, never>>()
expect<Same<FromSchema<{ 'x-type': ['date', 'bytes'] }>, Date | Uint8Array>>()
expect<Same<FromSchema<{ type: 'null'; 'x-type': 'bigint' }>, null | bigint>>()
expect<Same<FromSchema<{ anyOf: [{ type: 'string' }, { type: 'integer' }] }>, string | number>>()
expect<Same<FromSchema<{ allOf: [{ properties: { a: { type: 'string' } }; required: ['a'] }, { properties: { b: { const: 1 } }; required: ['b'] }] }>, { a: string; b: 1 }>>()
expect<Same<FromSchema<{ $ref: '#/$defs/a'; $defs: { a: { type: 'boolean' } } }>, boolean>>()
expect<Same<FromSchema<{ prefixItems: [{ type: 'string' }, { type: 'number' }]; items: false; type: 'array' }>, [string, number]>>()
expect<Same<FromSchema<{ type: 'object'; additionalProperties: { type: 'number' } }>, { [field: string]: number }>>()
expect<Same<FromSchema<{ type: 'object'; required: ['a'] }>, { a: any }>>()
expect<Same<FromSchema<{ properties: { a: { default: 5; type: 'number' } } }>, { a: number }>>()
expect<Same<FromSchema<{ properties: { a: { default: 5; type: 'number' } } }, 'input'>, { a?: number }>>()
expect<Same<FromSchema<{ minimum: 5 }>, any>>()
// A schema of which nothing is known gives documents of which nothing is known.
const known: { readonly [keyword: string]: unknown } = {}
expect<Same<InferOutput<typeof known>, { [field: string]: any }>>()

await open({
  name: 'a',
  collections: { people: { schema: tree, version: 2, migrate: { 2: (doc) => ({ ...doc, n: 1 }) } } },
  onMigration: ({ step, done, total }) => { step satisfies 'trial' | 'write'; (done / (total ?? 1)) satisfies number },
})
const report = await readings.tryMigration({ version: 2, migrate: { 2: async (doc) => doc }, schema: tree })
report.failed[0]?.violations?.[0]?.pointer satisfies string | undefined
// @ts-expect-error a function
await open({ name: 'a', collections: { people: { version: 2, migrate: { 2: 'x' } } } })
// @ts-expect-error a document
await readings.tryMigration({ version: 2, migrate: { 2: () => 5 } })
