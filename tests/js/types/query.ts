// Types of filters, sorts, projections and what queries answer with.
import { liveQuery, type Key } from 'hyphadb'
import { useLiveQuery } from 'hyphadb/react'
import { anything, expect, readings, trees, type Reading, type Same } from './data.js'

readings.find()
readings.find({})
readings.find({ agent: 5 })
readings.find({ agent: { $gte: 5, $lt: 9 }, site: 'north', value: null })
readings.find({ ts: { $gte: new Date() }, total: { $gt: 5n } })
readings.find({ site: { $in: ['north', 'south'] } })
readings.find({ 'place.city': 'x', 'place.at.lat': { $lt: 5 } })
readings.find({ tags: 'red' })
readings.find({ tags: ['red', 'blue'] })
readings.find({ 'items.price': { $gt: 5 }, 'items.0.name': 'x' })
readings.find({ $and: [{ agent: 5 }, { site: 'south' }] })
readings.find({ raw: { $exists: false } })
// @ts-expect-error no such field
readings.find({ agnt: 5 })
// @ts-expect-error no such path
readings.find({ 'place.town': 'x' })
// @ts-expect-error a number is no string
readings.find({ agent: '5' })
// @ts-expect-error not one of the sites
readings.find({ site: 'east' })
// @ts-expect-error not one of the sites
readings.find({ site: { $in: ['east'] } })
// @ts-expect-error a date is compared with a date
readings.find({ ts: { $gte: 5 } })
// @ts-expect-error a bigint is compared with a bigint
readings.find({ total: { $gt: 5 } })
// @ts-expect-error no such operator
readings.find({ agent: { $bigger: 5 } })
// @ts-expect-error an element has another type
readings.find({ tags: 5 })
// @ts-expect-error the type at the end of the path
readings.find({ 'items.price': 'x' })
readings.find({ $nor: [{ agent: 5 }], site: { $not: { $regex: '^n', $options: 'i' } }, 'place.city': /^c/u })
readings.find({ tags: { $all: ['red', /^b/u], $size: 2 }, agent: { $mod: [4, 1], $type: ['int', 10] } })
readings.find({ items: { $elemMatch: { name: 'x', price: { $gt: 5 } } }, site: { $in: ['north', /^s/u] } })
readings.find({ tags: { $elemMatch: { $gt: 'a', $lt: 'c' } } })
// @ts-expect-error a pattern is of text
readings.find({ agent: /5/u })
// @ts-expect-error a pattern is of text
readings.find({ agent: { $regex: '5' } })
// @ts-expect-error no such field of an element
readings.find({ items: { $elemMatch: { nme: 'x' } } })
// @ts-expect-error an element has another type
readings.find({ tags: { $all: [5] } })
// @ts-expect-error no such type
readings.find({ agent: { $type: 'text' } })
// @ts-expect-error not an array
readings.find({ agent: { $elemMatch: { $gt: 5 } } })
// @ts-expect-error runs no code
readings.find({ $where: 'this.agent' })
// @ts-expect-error inside $and too
readings.find({ $and: [{ agnt: 5 }] })
// @ts-expect-error not a filter
readings.find('agent')
// @ts-expect-error not an option
readings.find({}, { limit: 5 })

readings.find().sort({ ts: -1, 'place.city': 1 }).sort([['ts', 1]])
// @ts-expect-error no such field
readings.find().sort({ tz: 1 })
// @ts-expect-error not a direction
readings.find().sort({ ts: 'desc' })
// @ts-expect-error not a direction
readings.find().sort({ ts: 2 })
// @ts-expect-error not a number
readings.find().limit('5')

const all = await readings.find().toArray()
expect<Same<typeof all, Reading[]>>()
const first = await readings.find().first()
expect<Same<typeof first, Reading | undefined>>()
const keys = await readings.find().keys()
expect<Same<typeof keys, Key[]>>()
;(await readings.find().count()) satisfies number
for await (const doc of readings.find().limit(5)) expect<Same<typeof doc, Reading>>()
;(await readings.find().explain()).plan satisfies 'key' | 'primary' | 'index' | 'text' | 'intersection' | 'union' | 'scan'
;(await readings.find().explain('executionStats')).execution?.documents satisfies number | undefined
// @ts-expect-error no such mode
readings.find().explain('everything')

const some = await readings.find().project({ id: 1, ts: 1 }).toArray()
expect<Same<(typeof some)[0] & {}, { id: string; ts: Date }>>()
const without = await readings.find().project({ raw: 0, items: 0 }).first()
without!.agent satisfies number
// @ts-expect-error was left out
without!.items
const parts = await readings.find().project({ 'place.city': 1 }).first()
parts!.place.city satisfies string | undefined
// @ts-expect-error was not asked for
parts!.agent
// @ts-expect-error no such field
readings.find().project({ nope: 1 })
const keyless = await readings.find().project({ id: 0, ts: 1 }).first()
expect<Same<typeof keyless, { ts: Date } | undefined>>()
// @ts-expect-error neither 1 nor 0
readings.find().project({ ts: true })

const columns = await readings.find().columns(['ts', 'value'])
columns.ts[0] satisfies Date | number | null | undefined
columns.value.length satisfies number
// @ts-expect-error was not asked for
columns.agent
// @ts-expect-error no such field
readings.find().columns(['nope'])

// A cursor is no promise: awaiting it gives the cursor.
const cursor = readings.find()
expect<Same<Awaited<typeof cursor>, typeof cursor>>()
// @ts-expect-error no `then`
cursor.then

;(await readings.distinct('site')) satisfies ('north' | 'south')[]
;(await readings.distinct('tags')) satisfies string[]
;(await readings.distinct('items.price')) satisfies number[]
// @ts-expect-error no such field
readings.distinct('nope')

// A type that contains itself: paths are checked five deep, and free below.
trees.find({ 'left.right.left.label': 'x', 'children.children.label': 'y' })
// @ts-expect-error no such path
trees.find({ 'left.right.lbl': 'x' })

// Documents of which nothing is known take any path.
anything.find({ whatever: 1, 'a.b.c': { $gt: 5 } }).sort({ x: 1 }).project({ y: 1 })
const unknown = await anything.find().first()
unknown!.x.y.z

// In a function that is generic over the document type.
export async function byId<T extends { id: string; n: number }>(collection: import('hyphadb').Collection<T>, doc: T): Promise<T | undefined> {
  await collection.insertOne(doc)
  await collection.put(doc)
  return collection.get(doc.id)
}

// Live queries
for await (const { docs, changes, seq } of readings.find({ agent: 5 }).project({ id: 1 }).live({ signal: new AbortController().signal })) {
  expect<Same<typeof docs, readonly { id: string }[]>>()
  expect<Same<typeof changes.removed, readonly { id: string }[]>>()
  expect<Same<typeof seq, number>>()
}
const stop = readings.find().subscribe(({ docs }) => expect<Same<typeof docs, readonly Reading[]>>())
stop()
// @ts-expect-error a signal, not a time
readings.find().live({ timeoutMs: 5 })
liveQuery(() => readings.find()).subscribe((docs) => expect<Same<typeof docs, readonly Reading[]>>())
liveQuery(() => readings.countDocuments()).subscribe({ next: (count) => expect<Same<typeof count, number>>() })
const { status, data } = useLiveQuery(() => readings.find(), [])
if (status === 'ready') expect<Same<typeof data, readonly Reading[]>>()
if (status === 'loading') expect<Same<typeof data, undefined>>()
