// Types of writes and their answers.
import type { Durability, Key } from 'hyphadb'
import { anything, readings, type Reading } from './data.js'

declare const doc: Reading

;(await readings.insertOne(doc)).insertedId satisfies Key
;(await readings.insertOne(doc, { durability: 'strict', timeoutMs: 5 })).durability satisfies Durability | undefined
;(await readings.insertMany([doc], { ordered: false })).insertedIds satisfies (Key | null)[]
;(await readings.put(doc)).key satisfies Key
;(await readings.bulkPut([doc])).keys satisfies Key[]
// @ts-expect-error fields are missing
readings.insertOne({ id: 'a' })
// @ts-expect-error a field of the wrong type
readings.insertOne({ ...doc, agent: 'five' })
// @ts-expect-error a field that there is not
readings.insertOne({ ...doc, agnt: 5 })
// @ts-expect-error not a list
readings.insertMany(doc)
// @ts-expect-error not an option
readings.insertOne(doc, { ordered: true })
// @ts-expect-error not a durability
readings.insertOne(doc, { durability: 'yes' })

readings.get('a')
readings.get(5)
readings.get(5n)
readings.get(new Date())
readings.get(['a', 5, new Date()])
;(await readings.bulkGet(['a'])) satisfies (Reading | undefined)[]
// @ts-expect-error true is no key
readings.get(true)
// @ts-expect-error null is no key
readings.get(null)
// @ts-expect-error an object is no key
readings.get({ id: 'a' })
// @ts-expect-error a key of keys is no key
readings.get([['a']])

readings.updateOne({ id: 'a' }, { $set: { agent: 5, 'place.city': 'x', 'place.at.lat': 1, value: null } })
readings.updateMany({}, { $inc: { agent: 1, total: 5n, 'items.0.price': 2, value: 1 }, $unset: { raw: true } }, { upsert: true })
readings.replaceOne({ id: 'a' }, doc, { upsert: true })
;(await readings.findOneAndUpdate({ id: 'a' }, { $set: { agent: 1 } }, { returnDocument: 'after', sort: { ts: 1 } })) satisfies Reading | undefined
readings.updateMany({}, { $mul: { agent: 2 }, $min: { ts: new Date() }, $max: { value: 5 }, $rename: { site: 'place.site' }, $setOnInsert: { site: 'north' } })
readings.updateOne({}, { $push: { tags: 'red', items: { $each: [{ name: 'x', price: 1 }], $position: 0, $sort: { price: -1 }, $slice: 5 } }, $pop: { tags: 1 } })
readings.updateOne({}, { $addToSet: { tags: { $each: ['a', 'b'] } }, $pull: { items: { price: { $gt: 5 } } } })
readings.updateOne({}, { $pull: { tags: { $in: ['a', /^b/u] } } })
readings.updateOne({ 'items.name': 'x' }, { $set: { 'items.$.price': 5 }, $inc: { 'items.$[].price': 1 } })
readings.updateOne({}, { $set: { 'items.$[one].price': 5 } }, { arrayFilters: [{ 'one.name': 'x' }] })
readings.findOneAndUpdate({}, { $inc: { agent: 1 } }, { project: { agent: 1 }, arrayFilters: [] })
readings.updateOne({}, { $bit: { agent: { and: 7 }, total: { or: 1n } }, $currentDate: { ts: true }, $pullAll: { tags: ['a', 'b'] } })
readings.updateOne({}, { $currentDate: { ts: { $type: 'date' } }, $bit: { 'items.$[].price': { xor: 1 } } })
// @ts-expect-error a bigint takes a bigint
readings.updateOne({}, { $bit: { total: { and: 1 } } })
// @ts-expect-error no such operation
readings.updateOne({}, { $bit: { agent: { not: 1 } } })
// @ts-expect-error no date
readings.updateOne({}, { $currentDate: { agent: true } })
// @ts-expect-error no type of a date
readings.updateOne({}, { $currentDate: { ts: { $type: 'timestamp' } } })
// @ts-expect-error not a list
readings.updateOne({}, { $pullAll: { tags: 'a' } })
// @ts-expect-error elements of another type
readings.updateOne({}, { $pullAll: { tags: [1] } })
// @ts-expect-error an element has another type
readings.updateOne({}, { $push: { tags: 5 } })
// @ts-expect-error not an array
readings.updateOne({}, { $push: { agent: 5 } })
// @ts-expect-error neither end
readings.updateOne({}, { $pop: { tags: 0 } })
// @ts-expect-error not an option of a replacement
readings.replaceOne({}, doc, { arrayFilters: [] })
// @ts-expect-error no such field
readings.updateOne({}, { $set: { agnt: 5 } })
// @ts-expect-error the wrong type
readings.updateOne({}, { $set: { agent: '5' } })
// @ts-expect-error the wrong type at the end of a path
readings.updateOne({}, { $set: { 'place.city': 5 } })
// @ts-expect-error only numbers can be added to
readings.updateOne({}, { $inc: { site: 1 } })
// @ts-expect-error only numbers can be added to
readings.updateOne({}, { $inc: { ts: 1 } })
// @ts-expect-error a bigint takes a bigint
readings.updateOne({}, { $inc: { total: 1 } })
// @ts-expect-error a number takes a number
readings.updateOne({}, { $inc: { agent: 1n } })
// @ts-expect-error no such operator
readings.updateOne({}, { $put: { agent: 1 } })
// @ts-expect-error an update needs operators
readings.updateOne({}, { agent: 1 })
// @ts-expect-error no such option
readings.updateOne({}, { $set: { agent: 1 } }, { upsrt: true })
// @ts-expect-error no such state
readings.findOneAndUpdate({}, { $set: { agent: 1 } }, { returnDocument: 'later' })

;(await readings.deleteOne({ id: 'a' })).deletedCount satisfies number
readings.deleteMany({})
readings.bulkDelete(['a', 5])
// @ts-expect-error to forget the filter must not mean everything
readings.deleteMany()

const { insertedCount, upsertedCount } = await readings.bulkWrite([
  { insertOne: { document: doc } },
  { updateOne: { filter: { id: 'a' }, update: { $set: { agent: 1 } }, upsert: true } },
  { updateMany: { filter: {}, update: { $inc: { agent: 1 } } } },
  { replaceOne: { filter: { id: 'a' }, replacement: doc } },
  { deleteOne: { filter: { id: 'a' } } },
  { deleteMany: { filter: { site: 'north' } } },
], { ordered: true })
insertedCount + upsertedCount satisfies number
// @ts-expect-error no such operation
readings.bulkWrite([{ removeOne: { filter: {} } }])
// @ts-expect-error a document of the wrong type
readings.bulkWrite([{ insertOne: { document: { id: 5 } } }])

;(await readings.createIndex(['site', 'ts'], { onProgress: ({ done, total }) => done / total })) satisfies string
await readings.createIndex({ name: 'by_city', fields: 'place.city', unique: true, sparse: true })
await readings.dropIndex('by_city', { timeoutMs: 5 })
;(await readings.indexes()).map(({ name, state }) => [name, state])
;(await readings.stats()).documents satisfies number
// @ts-expect-error no such field
readings.createIndex('agnt')
// @ts-expect-error no such option
readings.createIndex({ fields: 'agent', uniqe: true })

anything.updateOne({ a: 1 }, { $set: { 'x.y': 5 }, $inc: { n: 1 } })
