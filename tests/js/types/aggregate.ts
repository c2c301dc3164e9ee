// Types of pipelines and of what comes out of them.
import { liveQuery, type Aggregation, type AggregationPlan, type Document } from 'hyphadb'
import { useLiveQuery } from 'hyphadb/react'
import { expect, readings, type Same } from './data.js'

interface Total { _id: string; count: number; mean: number | null }

const totals = readings.aggregate<Total>([
  { $match: { agent: { $gte: 5 }, $expr: { $gt: ['$value', '$agent'] } } },
  { $group: { _id: '$site', count: { $sum: 1 }, mean: { $avg: '$value' } } },
  { $sort: { count: -1 } },
  { $limit: 5 },
])
expect<Same<typeof totals, Aggregation<Total>>>()
const array = await totals.toArray({ timeoutMs: 1000 })
expect<Same<typeof array, Total[]>>()
const columns = await totals.columns(['_id', 'count'])
expect<Same<typeof columns, { _id: Float64Array | (string | null)[]; count: Float64Array | (number | null)[] }>>()
const all = await totals.columns()
all.mean
for await (const total of totals) expect<Same<typeof total, Total>>()
const plan = await totals.explain()
expect<Same<typeof plan, AggregationPlan>>()

for await (const { docs, changes } of totals.live({ signal: new AbortController().signal })) {
  expect<Same<typeof docs, readonly Total[]>>()
  expect<Same<typeof changes.added, readonly Total[]>>()
}
const stop = totals.subscribe({ next: ({ docs }) => docs[0]?.count.toFixed(), error: () => undefined })
stop()
liveQuery(() => totals).subscribe((docs) => expect<Same<typeof docs, readonly Total[]>>())
const { data } = useLiveQuery(() => totals, [])
data satisfies readonly Total[] | undefined
// @ts-expect-error no such option
totals.live({ timeoutMs: 5 })

const loose = readings.aggregate([{ $count: 'n' }])
expect<Same<typeof loose, Aggregation<Document>>>()

readings.aggregate([
  { $unwind: { path: '$items', preserveNullAndEmptyArrays: true } },
  { $lookup: { from: 'trees', localField: 'id', foreignField: 'id', as: 'tree', let: { a: '$agent' }, pipeline: [{ $limit: 1 }] } },
  { $setWindowFields: { partitionBy: '$site', sortBy: { ts: 1 }, output: { sum: { $sum: '$value', window: { range: [-1, 'current'], unit: 'hour' } }, n: { $documentNumber: {} } } } },
  { $facet: { a: [{ $count: 'n' }], b: [{ $sample: { size: 3 } }] } },
  { $bucket: { groupBy: '$n', boundaries: [0, 10, 20], default: 'other', output: { p: { $percentile: { input: '$v', p: [0.5, 0.95] } } } } },
  { $unionWith: { coll: 'trees', pipeline: [] } },
])
// @ts-expect-error no such stage
readings.aggregate([{ $grp: { _id: null } }])
// @ts-expect-error a group has an _id
readings.aggregate([{ $group: { n: { $sum: 1 } } }])
// @ts-expect-error not a direction
readings.aggregate([{ $sort: { ts: 2 } }])
// @ts-expect-error no such unit
readings.aggregate([{ $setWindowFields: { sortBy: { ts: 1 }, output: { n: { $sum: 1, window: { range: [-1, 0], unit: 'hours' } } } } }])
// @ts-expect-error no such field comes out
await totals.columns(['nope'])
