// Random pipelines through the published package, compared with mingo. Others with SEED; more with PIPELINES.
//
// Of one seed, unless told: what mingo does of its own has to be judged by somebody, each time that something new turns up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memory, open } from 'hyphadb'
import { compareAggregations } from './support/differential.mjs'

const seed = Number(process.env.SEED ?? 900_000)
const COUNT = Number(process.env.PIPELINES ?? 20_000)

test(`${COUNT} random pipelines give what mingo gives (SEED=${seed})`, async () => {
  const { refused, failures } = await compareAggregations({ open, memory }, { count: COUNT, seed })
  assert.deepEqual(failures, [])
  assert.ok(refused < COUNT / 3, `${refused} pipelines were refused by both: too many of them say nothing`)
})
