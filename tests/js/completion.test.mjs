// Where in a filter a name is being typed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placeOf } from '../../www/completion.js'

const at = (text) => placeOf(text, text.length)

test('a key is found with what stands above it', () => {
  for (const [text, typed, under] of [
    ['{', undefined],
    ['{"', '', []],
    ['{"ori', 'ori', []],
    ['{or', 'or', []],
    ['{"a": 1, "b', 'b', []],
    ['{"a": {"$g', '$g', ['a']],
    ['{"$or": [{"a": 1}, {"b', 'b', ['$or']],
    ['{"a": {"$elemMatch": {"x', 'x', ['a', '$elemMatch']],
    ['{"a, \\"{b": 1, c', 'c', []],
    ['{"a": {"b": 1}, "c', 'c', []],
  ]) {
    const place = at(text)
    assert.equal(place?.typed, typed, text)
    if (typed !== undefined) assert.deepEqual(place.under, under, text)
    if (typed) assert.equal(text.slice(place.start).replace('"', ''), typed, text)
  }
})

test('a value is no place for a name', () => {
  for (const text of ['', '{"a": "x', '{"a": tr', '{"a": ["x', '{"a": {"$in": ["x', '{"a"', '{"a": 1}', '[']) assert.equal(at(text), undefined, text)
})
