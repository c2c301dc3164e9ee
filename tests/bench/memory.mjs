// What the process that renders a page holds in memory, as Linux counts it.
//
// Only for Chromium, which tells which of its processes are renderers.
import { readFile } from 'node:fs/promises'

const EVERY_MS = 500

async function residentBytes(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const [, kilobytes] = status.match(/^VmRSS:\s+(\d+) kB$/m) ?? []
  return Number(kilobytes ?? 0) * 1024
}

/** The resident bytes of the largest renderer: with one tab, that of the page. */
export async function rendererBytes(browser) {
  const session = await browser.target().createCDPSession()
  try {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo')
    const renderers = processInfo.filter(({ type }) => type === 'renderer')
    return Math.max(0, ...(await Promise.all(renderers.map(({ id }) => residentBytes(id)))))
  } finally {
    await session.detach()
  }
}

/** Looks now and then while `work` runs; answers the highest that it saw. */
export async function highestDuring(browser, work) {
  let highest = 0
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      highest = Math.max(highest, await rendererBytes(browser).catch(() => 0))
      await new Promise(resolve => setTimeout(resolve, EVERY_MS))
    }
  })()
  const answer = await work().finally(() => {
    isOver = true
  })
  await watching
  return { answer, highest_bytes: highest }
}
