// A full disk: a typed error, reads go on, and room again after deletions.
//
// Chromium looks at the quota before it writes and counts late what LevelDB makes of it: about one time in thirty files
// of 36 MB stand on a quota of 24 when it notices, and then whatever is written is refused until it has tidied up, a
// deletion too. Then it is checked that nothing was lost or half done, and the disk is filled once more.
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

/** Fills the disk, deletes three quarters and writes again; `refused` where even the deletion found no room. */
function fillAndEmpty() {
  return page.evaluate(async () => {
    const { deleteDatabase, openForTest, noise, told } = await import('/work.js')
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
    const kept = written.slice(0, Math.ceil(written.length / 4))
    const deletion = await entries.bulkDelete(written.slice(kept.length)).catch(error => ({ refused: told(error) }))
    if (deletion.refused === undefined) await entries.insertOne({ id: 'again', round: 2, bytes: noise(60_000) })
    const left = deletion.refused === undefined ? [...kept, 'again'] : written
    const afterwards = await readable(left)
    await db.close()
    const reopened = await openForTest('full')
    const count = await reopened.collection('entries').countDocuments({})
    await reopened.close()
    if (deletion.refused !== undefined) await deleteDatabase('full')
    return { full, written: written.length, whileFull, left: left.length, deletion, afterwards, count }
  })
}

/** What holds of every answer; says whether the deletion went through. */
function holds(t, answer) {
  t.diagnostic(JSON.stringify(answer))
  assert.equal(answer.full?.code, 'limit')
  assert.ok(answer.full.hint)
  assert.equal(answer.whileFull, answer.written)
  assert.equal(answer.afterwards, answer.left)
  assert.equal(answer.count, answer.left)
  if (answer.deletion.refused === undefined) return true
  assert.equal(answer.deletion.refused.code, 'limit')
  return false
}

test('a full disk is a limit, reads go on, and what is deleted can be written again', async t => {
  let answer = await fillAndEmpty()
  if (!holds(t, answer) && isChromium) {
    answer = await fillAndEmpty()
    holds(t, answer)
  }
  assert.equal(answer.deletion.deletedCount, answer.written - answer.left + 1)
})
