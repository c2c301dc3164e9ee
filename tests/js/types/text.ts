// Types of text search: its index, what is searched, scores in sorts and projections.
import { open } from 'hyphadb'
import { anything, expect, readings, type Same } from './data.js'

readings.find({ $text: { $search: 'north -wind "a phrase" beg*' } })
readings.find({ $text: { $search: 'north', $all: true, $fuzzy: false }, agent: { $gt: 5 } })
readings.find({ $and: [{ $text: { $search: 'north' } }, { agent: 5 }] })
// @ts-expect-error there is nothing to look for
readings.find({ $text: {} })
// @ts-expect-error not a string
readings.find({ $text: { $search: 5 } })
// @ts-expect-error no such option
readings.find({ $text: { $search: 'north', $language: 'en' } })
// @ts-expect-error not in a part of which one has to hold
readings.find({ $or: [{ $text: { $search: 'north' } }, { agent: 5 }] })
// @ts-expect-error not of a field
readings.find({ site: { $text: { $search: 'north' } } })

const found = readings.find({ $text: { $search: 'north' } })
found.sort({ score: { $meta: 'textScore' } })
found.sort({ agent: 1, score: { $meta: 'textScore' } })
found.sort([['score', { $meta: 'textScore' }], ['agent', -1]])
// @ts-expect-error a score has no direction
found.sort({ score: 1 })
// @ts-expect-error no such score
found.sort({ score: { $meta: 'indexKey' } })
// @ts-expect-error no such field
found.sort({ agnt: 1 })

const scored = await found.project({ agent: 1, score: { $meta: 'textScore' } }).first()
expect<Same<number | undefined, NonNullable<typeof scored>['score'] | undefined>>()
expect<Same<number, NonNullable<typeof scored>['agent']>>()
// @ts-expect-error it was not asked for
void scored?.site
const whole = await found.project({ score: { $meta: 'textScore' } }).first()
expect<Same<number, NonNullable<typeof whole>['score']>>()
expect<Same<number, NonNullable<typeof whole>['agent']>>()
// @ts-expect-error no such field, and no score
found.project({ agnt: 1, score: { $meta: 'textScore' } })

anything.find({ $text: { $search: 'x' } }).sort({ any: 1, score: { $meta: 'textScore' } })
readings.aggregate([{ $match: { $text: { $search: 'x' } } }, { $sort: { score: { $meta: 'textScore' } } }, { $project: { score: { $meta: 'textScore' } } }])

void open({ name: 'x', collections: { movies: { indexes: [{ fields: ['title', 'plot'], type: 'text', weights: { title: 3 } }] } } })
void readings.createIndex({ fields: 'site', type: 'text', weights: { site: 2 } })
// @ts-expect-error no such type
void readings.createIndex({ fields: 'site', type: 'words' })
// @ts-expect-error a text index is not unique
void readings.createIndex({ fields: 'site', type: 'text', unique: true })
// @ts-expect-error no such field
void readings.createIndex({ fields: 'site', type: 'text', weights: { sight: 2 } })
// @ts-expect-error weights are of texts
void readings.createIndex({ fields: 'site', weights: { site: 2 } })
