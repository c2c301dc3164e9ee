// Migrations in a real browser: a newer version of a page opens what an older one wrote and still has open.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, newProfile, openTab } from './browser.mjs'
import { startSite } from './site.mjs'

const COUNT = 1500

let site, browser, older, newer

before(async () => {
  site = await startSite()
  browser = await launch({ profile: await newProfile() })
  ;[older, newer] = [await openTab(browser, site), await openTab(browser, site)]
  await newer.bringToFront()
})

after(async () => {
  await browser?.close()
  await site?.close()
})

for (const thread of ['inline', 'worker']) {
  test(`what an older page wrote is brought to the newer version, ${thread}; the older page then reads only`, async () => {
    const name = `migrated-${thread}`
    await older.evaluate(async (name, count) => {
      const { open } = await import('/pkg/index.js')
      globalThis.db = await open({ name, collections: { people: { key: 'id', indexes: ['name'] } } })
      await globalThis.db.collection('people').insertMany(Array.from({ length: count }, (_, n) => ({ id: n, name: `first${n % 10} last${n}` })))
    }, name, COUNT)
    const answer = await newer.evaluate(async (name, thread) => {
      const { open } = await import('/pkg/index.js')
      const schema = { properties: { last: { type: 'string' } }, required: ['first', 'last'] }
      const config = (migrate) => ({ name, thread, collections: { people: { key: 'id', indexes: ['name', 'first'], schema, version: 2, migrate } } })
      // A migration that fails in its trial changes nothing.
      const failed = await open(config({ 2: (doc) => { if (doc.id === 700) throw new Error('oops'); return { ...doc, first: '', last: '' } } })).catch(({ code, details }) => [code, details.failed.map(({ key }) => key)])
      const progress = []
      const split = { 2: ({ name, ...doc }) => { const [first, last] = name.split(' '); return { ...doc, first, last } } }
      const db = await open({ ...config(split), onMigration: ({ step, done, total }) => progress.push(`${step} ${done} ${total}`) })
      const people = db.collection('people')
      const counts = [await people.countDocuments({ first: 'first3' }), await people.countDocuments({ name: { $exists: true } })]
      const one = await people.get(7)
      await people.updateOne({ id: 7 }, { $set: { last: 'new' } })
      await db.close()
      const called = []
      const again = await open({ ...config({ 2: (doc) => { called.push(doc); return doc } }) })
      const { last } = await again.collection('people').get(7)
      await again.close()
      return { failed, progress, counts, one, called, last }
    }, name, thread)
    assert.deepEqual(answer, {
      failed: ['invalid', [700]], progress: ['trial 512 undefined', 'trial 1024 undefined', `trial ${COUNT} undefined`, `write 512 ${COUNT}`, `write 1024 ${COUNT}`, `write ${COUNT} ${COUNT}`],
      counts: [COUNT / 10, 0], one: { id: 7, first: 'first7', last: 'last7' }, called: [], last: 'new',
    })
    const late = await older.evaluate(async () => {
      const people = globalThis.db.collection('people')
      const error = await people.put({ id: 5, name: 'x' }).catch(({ code, hint, details }) => ({ code, hint, details }))
      const { first } = await people.get(5)
      await globalThis.db.close()
      return { error, first }
    })
    assert.deepEqual(late, {
      error: { code: 'unsupported', hint: 'reload, to run the newer code; until then the collection can be read only', details: { collection: 'people', version: '2' } },
      first: 'first5',
    })
  })
}
