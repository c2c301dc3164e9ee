// The page in a real browser, on real data: loading, queries, editing, reload, two tabs.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { serve } from '../../www/serve.mjs'
import { engine, launch, newProfile } from './browser.mjs'

const WAIT_MS = 60_000

let browser, server, address
const problems = []

before(async () => {
  ;({ server, address } = await serve(4400))
  browser = await launch({ profile: await newProfile() })
})
after(async () => {
  await browser?.close()
  server?.closeAllConnections()
  server?.close()
})
afterEach(() => assert.deepEqual(problems.splice(0), [], 'the page has nothing to complain about'))

async function openPage(name) {
  const page = await browser.newPage()
  page.setDefaultTimeout(WAIT_MS)
  page.on('pageerror', error => problems.push(String(error)))
  page.on('console', message => { if (['error', 'warn'].includes(message.type())) problems.push(message.text()) })
  page.on('dialog', dialog => dialog.accept())
  await page.setViewport({ width: 1280, height: 900 })
  await page.goto(`${address}?name=${name}`)
  await page.bringToFront()
  await page.waitForFunction(() => document.querySelector('#facts dd') !== null)
  return page
}

/** Waits for a load to end; when it does not, says what the page said. */
async function isLoaded(page, name) {
  try {
    await page.waitForFunction(name => document.querySelector(`#load-${name}`).textContent === 'Load again', {}, name)
  } catch (cause) {
    throw new Error(`${name}: ${await textOf(page, '.samples')} ${await textOf(page, '#notices')}`, { cause })
  }
}

async function load(page, name) {
  await page.click(`#load-${name}`)
  await isLoaded(page, name)
}

/** After the page has shown what was committed lately. */
const settled = async page => {
  await new Promise(resolve => setTimeout(resolve, 300))
  await page.waitForFunction(() => !document.querySelector('#documents').hasAttribute('aria-busy'))
}

const textOf = (page, selector) => page.$eval(selector, node => node.textContent)
const countOf = (page, name) => page.$eval(`[data-name=${name}] .count`, node => Number(node.textContent.replaceAll(',', '')))
const says = (page, selector, text) => page.waitForFunction((selector, text) => document.querySelector(selector)?.textContent.includes(text), {}, selector, text)
const choose = async (page, name) => { await settled(page); await page.click(`[data-name=${name}]`); await says(page, '#query-title', name); await page.waitForFunction(() => !document.querySelector('#documents').hasAttribute('aria-busy')) }

async function ask(page, filter, sort = '') {
  await page.$eval('#query form', (form, filter, sort) => {
    form.elements.filter.value = filter
    form.elements.sort.value = sort
    form.requestSubmit()
  }, JSON.stringify(filter), sort)
  await new Promise(resolve => setTimeout(resolve, 50))
  await page.waitForFunction(() => !document.querySelector('#documents').hasAttribute('aria-busy'))
}

describe(`the page in ${engine}`, () => {
  let page

  test('begins empty and says what to do', async () => {
    page = await openPage('main')
    await says(page, '#opening', 'load one of the samples')
    assert.equal(await countOf(page, 'flights'), 0)
  })

  test('loads the samples', async () => {
    for (const name of ['flights', 'airports', 'movies', 'earthquakes']) await load(page, name)
    const counts = await Promise.all(['flights', 'airports', 'movies', 'earthquakes'].map(name => countOf(page, name)))
    assert.deepEqual(counts, [20_000, 3376, 3201, 1707])
  })

  test('answers by index, in order, with its time', async () => {
    await choose(page, 'flights')
    await ask(page, { origin: 'SFO' }, 'date')
    await says(page, '#documents-title', '388 documents')
    assert.match(await textOf(page, '#plan'), /(µs|ms).* for the first 50 · by index origin_date, origin = "SFO" · already in order/)
    const dates = await page.$$eval('tbody td.date', cells => cells.map(cell => cell.textContent))
    assert.equal(dates.length, 50)
    assert.deepEqual(dates, [...dates].sort())
  })

  test('completes the names of fields and operators while a filter is typed', async () => {
    await page.click('#query [type=reset]')
    await page.focus('#filter')
    await page.keyboard.type('{"ori')
    assert.deepEqual(await page.$$eval('.offers li', offers => offers.map(offer => offer.textContent)), ['origin'])
    await page.keyboard.press('Enter')
    await page.keyboard.type('{"$')
    await page.keyboard.press('ArrowDown')
    assert.equal(await page.$eval('#filter', area => document.getElementById(area.getAttribute('aria-activedescendant')).textContent), '$ne')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Tab')
    await page.keyboard.type('"SFO"}}')
    assert.equal(await page.$eval('#filter', area => area.value), '{"origin": {"$eq": "SFO"}}')
    await page.keyboard.down('Control')
    await page.keyboard.press('Enter')
    await page.keyboard.up('Control')
    await says(page, '#documents-title', '388 documents')
  })

  test('draws a chart of what the query finds', async () => {
    await page.select('#chart-choice', '2')
    await says(page, '#chart .plan', 'for 1 group')
    assert.equal(await textOf(page, '.bars li'), 'SFO388')
    await ask(page, {})
    await says(page, '#chart .plan', 'for 20 groups')
    const figures = await page.$$eval('.bars .figure', figures => figures.map(figure => Number(figure.textContent.replaceAll(',', ''))))
    assert.deepEqual(figures, [...figures].sort((left, right) => right - left))
  })

  test('says what is wrong with a filter, and keeps it', async () => {
    await page.$eval('#query form', form => { form.elements.filter.value = '{"origin": '; form.requestSubmit() })
    await says(page, '.notice.error', 'the filter is no JSON')
    assert.equal(await page.$eval('#filter', area => area.getAttribute('aria-invalid')), 'true')
    await page.click('.notice.error button')
    await page.$eval('#query form', form => { form.elements.filter.value = '{"origin": {"$where": 1}}'; form.requestSubmit() })
    await says(page, '.notice.error', '$where')
    await page.click('.notice.error button')
    problems.splice(0)
    await ask(page, { origin: 'SFO' }, 'date')
  })

  test('draws the plan as a tree, with what was not taken and why', async () => {
    await page.click('.explain summary')
    assert.deepEqual(await page.$$eval('.stages .stage', stages => stages.map(stage => stage.textContent)), ['first 50 documents', 'read documents', 'index origin_date, origin = "SFO"'])
    assert.match(await textOf(page, '.explain'), /Read 50 keys and 50 documents, returned 50/)
    await page.click('.explain summary')
  })

  test('keeps a live list of the same question', async () => {
    await says(page, '#live', 'The first 8 documents')
    const before = await page.$$eval('.live strong', names => names.map(name => name.textContent))
    await page.click('#insert')
    await page.waitForSelector('#document textarea')
    await page.$eval('#document textarea', area => { area.value = '{"id": "early", "origin": "SFO", "date": {"$date": "1970-01-01"}}' })
    await page.click('#document [type=submit]')
    await says(page, '.live .new', 'early')
    assert.deepEqual(await page.$$eval('.live strong', names => names.map(name => name.textContent)), ['early', ...before.slice(0, 7)])
    await says(page, '#document-title', 'early')
    await page.click('#document .danger')
    await page.waitForFunction(() => !document.querySelector('.live').textContent.includes('early'))
    assert.deepEqual(await page.$$eval('.live strong', names => names.map(name => name.textContent)), before)
    await settled(page)
  })

  test('pages through a lazy cursor', async () => {
    const first = await textOf(page, 'tbody button')
    await page.click('.pager button:last-child')
    await says(page, '.pager span', '51 to 100')
    assert.notEqual(await textOf(page, 'tbody button'), first)
    await page.click('.pager button:first-child')
    await says(page, '.pager span', '1 to 50')
    assert.equal(await textOf(page, 'tbody button'), first)
  })

  test('keeps the focus where it was, whatever is committed meanwhile', async () => {
    await page.focus('.pager button:last-child')
    await page.keyboard.press('Enter')
    await says(page, '.pager span', '51 to 100')
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Next ›')
    await page.focus('tbody button')
    await page.keyboard.press('ArrowDown')
    const [key, row] = await page.evaluate(() => [document.activeElement.textContent, document.activeElement.closest('tr').rowIndex])
    assert.equal(row, 2)
    await page.evaluate(() => document.querySelector('#load-earthquakes').click())
    await isLoaded(page, 'earthquakes')
    await settled(page)
    assert.equal(await page.evaluate(() => document.activeElement.textContent), key)
    await page.click('.pager button:first-child')
    await says(page, '.pager span', '1 to 50')
  })

  test('keeps dirty values as they are', async () => {
    await choose(page, 'movies')
    await ask(page, { Title: 1776 })
    await says(page, '#documents-title', '1 document')
    assert.equal(await page.$eval('tbody td', cell => cell.className), 'number')
    await ask(page, { Director: null })
    await says(page, '#documents-title', '1,331 documents')
    await ask(page, { Director: 'Steven Spielberg' })
    assert.match(await textOf(page, '#plan'), /index Director/)
  })

  test('shows a nested document as a tree', async () => {
    await choose(page, 'earthquakes')
    await ask(page, { 'properties.mag': { $gte: 5 } }, 'properties.mag')
    assert.match(await textOf(page, '#plan'), /index properties\.mag/)
    await page.click('tbody button')
    await says(page, '#document .tree', 'coordinates')
  })

  test('a change survives a reload', async () => {
    await choose(page, 'airports')
    await ask(page, { iata: 'SFO' })
    await page.click('tbody button')
    await says(page, '#document-title', 'SFO')
    await page.click('#document .actions button')
    await page.$eval('#document textarea', area => { area.value = area.value.replace(/"name": "[^"]*"/, '"name": "Changed by a test"') })
    await page.click('#document [type=submit]')
    await says(page, '#document .tree', 'Changed by a test')
    await page.reload()
    await page.waitForSelector('tbody tr')
    assert.equal(await countOf(page, 'flights'), 20_000)
    await choose(page, 'airports')
    await ask(page, { name: 'Changed by a test' })
    await says(page, '#documents-title', '1 document')
  })

  test('what cannot be stored is told with code, message and hint', async () => {
    await page.click('tbody button')
    await page.waitForSelector('#document .actions button')
    await page.click('#document .actions button')
    await page.$eval('#document textarea', area => { area.value = '{"iata": "SFO", "opened": {"$date": "nonsense"}}' })
    await page.click('#document [type=submit]')
    await says(page, '.notice.error', 'invalid')
    await says(page, '.notice.error', 'document has an invalid date at `opened`')
    await says(page, '.notice.error', 'use null for a date that is not known')
    await page.click('.notice.error button')
    await page.click('#document .actions button:last-child')
  })

  test('two tabs follow each other', async () => {
    const other = await openPage('main')
    await other.waitForSelector('tbody tr')
    // A tab in the background draws nothing, and the test clicks on what is drawn.
    await page.bringToFront()
    await choose(page, 'airports')
    const before = await countOf(other, 'airports')
    await page.click('#insert')
    await page.waitForSelector('#document textarea')
    await page.$eval('#document textarea', area => { area.value = '{"iata": "ZZZ", "name": "From the first tab"}' })
    await page.click('#document [type=submit]')
    await says(page, '#document-title', 'ZZZ')
    await says(page, '#activity .own', 'airports: 1 inserted')
    await other.bringToFront()
    await says(other, '#activity .other', 'airports: 1 inserted')
    await other.waitForFunction(expected => document.querySelector('[data-name=airports] .count').textContent.replaceAll(',', '') === String(expected), {}, before + 1)

    // And back: the second deletes what the first is looking at.
    await choose(other, 'airports')
    await ask(other, { iata: 'ZZZ' })
    await other.click('tbody button')
    await says(other, '#document-title', 'ZZZ')
    await other.click('#document .danger')
    await says(other, '#activity .own', 'airports: 1 deleted')
    await page.bringToFront()
    await says(page, '#document', 'not there any more')
    await other.close()
  })

  test('a load can be cancelled, and what was committed before stays', async () => {
    const own = await openPage('cancelled')
    await own.$eval('#load-flights', button => button.click())
    await own.waitForFunction(() => /^[\d,]+ of/.test(document.querySelector('.progress p')?.textContent ?? ''))
    await own.$eval('#load-flights', button => button.click())
    await own.waitForFunction(() => document.querySelector('.progress') === null)
    const loaded = await countOf(own, 'flights')
    assert.equal(loaded % 1000, 0, `${loaded} documents`)
    await own.close()
  })

  test('fits on a small screen', async () => {
    await page.bringToFront()
    await page.setViewport({ width: 390, height: 844 })
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth))
  })

  test('deletes its database on request', async () => {
    await page.setViewport({ width: 1280, height: 900 })
    await Promise.all([page.waitForNavigation(), page.click('#reset')])
    await says(page, '#opening', 'load one of the samples')
    assert.equal(await countOf(page, 'flights'), 0)
  })
})
