// What the page has to say: errors with code, message and hint, and short news.
// Not a log: news goes by itself, an error stays until it is dismissed.
import { HyphaError } from '/pkg/index.js'
import { byId, element } from './element.js'

const NOTICES_MAX = 4
/** News goes by itself; an error stays until it was seen. */
const NEWS_MS = 6000

/** Shows an error. Being cancelled is no error but news. */
export function showError(error) {
  if (error instanceof HyphaError && error.code === 'cancelled') return showNews('Cancelled: what was not committed was not written.')
  if (error?.name === 'AbortError') return showNews('Cancelled.')
  const isOurs = error instanceof HyphaError
  const details = isOurs ? Object.entries(error.details) : []
  show('error',
    element('p', {}, element('code', { className: 'code' }, isOurs ? error.code : 'page'), ' ', error?.message ?? String(error)),
    isOurs && element('p', { className: 'hint' }, error.hint),
    details.length > 0 && element('p', { className: 'hint' }, details.map(([name, value]) => `${name}: ${value}`).join(' · ')),
    isOurs && error.retryable && element('p', { className: 'hint' }, 'The same call may succeed when it is made again.'),
  )
  if (!isOurs) console.error(error)
}

/** Shows a line of news in the place of the last one. */
export function showNews(text) {
  byId('notices').querySelectorAll('.news').forEach(news => news.remove())
  const news = show('news', element('p', {}, text))
  setTimeout(() => news.remove(), NEWS_MS)
}

/** Runs `work` and shows what it throws; answers `undefined` then. */
export async function attempt(work) {
  try {
    return await work()
  } catch (error) {
    showError(error)
    return undefined
  }
}

function show(kind, ...children) {
  const notices = byId('notices')
  const notice = element('div', { className: `notice ${kind}` }, element('div', {}, ...children),
    element('button', { type: 'button', className: 'quiet', 'aria-label': 'Dismiss', onclick: () => notice.remove() }, '×'))
  notices.append(notice)
  while (notices.children.length > NOTICES_MAX) notices.firstChild.remove()
  return notice
}
