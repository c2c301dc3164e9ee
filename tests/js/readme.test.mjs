// The README's example does what it says.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { memory, open } from 'hyphadb'

test('the example of the README runs as it stands, on a storage in memory', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, example] = /```ts\n([\s\S]*?)```/.exec(readme)
  const [first, ...lines] = example.split('\n')
  assert.equal(first, "import { open } from 'hyphadb'")
  const run = new Function('open', `return (async () => { ${lines.join('\n')}\nreturn { db, readings, latest } })()`)
  const { db, readings, latest } = await run((config) => open({ ...config, storage: memory() }))
  assert.equal(latest.length, 1)
  assert.equal((await readings.get('r1')).alarms, 1)
  await db.close()
})
