// A full disk: a typed error, reads that go on, and room again after deletions.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isChromium, launch, newProfile, openTab } from './browser.mjs'
import { startSite } from './site.mjs'

const CHROMIUM_QUOTA_BYTES = 24 * 1024 * 1024
/** Firefox gives one origin a fifth of it. */
const FIREFOX_LIMIT_KIB = 120 * 1024

let site, browser, page

before(async () => {
  site = await startSite()
  browser = await launch({ profile: await newProfile(), prefs: { 'dom.quotaManager.temporaryStorage.fixedLimit': FIREFOX_LIMIT_KIB } })
  page = await openTab(browser, site)
  if (!isChromium) return
  const devtools = await page.createCDPSession()
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: site.origin, quotaSize: CHROMIUM_QUOTA_BYTES })
})

after(async () => {
  await browser?.close()
  await site?.close()
})

test('a full disk is a limit, reads go on, and what is deleted can be written again', async t => {
  const answer = await page.evaluate(async () => {
    const { openForTest, noise, told } = await import('/work.js')
    const db = await openForTest('full')
    const entries = db.collection('entries')
    const written = []
    let full
    // What does not compress, or the browser would make room by itself.
    for (let id = 0; id < 1_000 && !full; id++) {
      await entries.insertOne({ id, round: 1, bytes: noise(60_000) }).then(() => written.push(id), error => { full = told(error) })
    }
    const readable = async ids => {
      for (const id of ids) if ((await entries.get(id))?.bytes.length !== 60_000) return `${id} is not readable`
      return await entries.countDocuments({})
    }
    const whileFull = await readable(written)
    const kept = written.splice(0, Math.ceil(written.length / 4))
    const { deletedCount } = await entries.bulkDelete(written)
    const { insertedId } = await entries.insertOne({ id: 'again', round: 2, bytes: noise(60_000) })
    const afterwards = await readable([...kept, insertedId])
    await db.close()
    const reopened = await openForTest('full')
    const count = await reopened.collection('entries').countDocuments({})
    await reopened.close()
    return { full, written: written.length, whileFull, kept: kept.length, deletedCount, afterwards, count }
  })
  t.diagnostic(JSON.stringify(answer))
  assert.equal(answer.full?.code, 'limit')
  assert.ok(answer.full.hint)
  assert.equal(answer.whileFull, answer.written + answer.kept)
  assert.equal(answer.deletedCount, answer.written)
  assert.equal(answer.afterwards, answer.kept + 1)
  assert.equal(answer.count, answer.kept + 1)
})
