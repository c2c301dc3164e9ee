// The feed of what was committed, here and in other tabs.
// Not a history: it begins when the page is opened, and keeps the newest entries only.
import { byId, element } from './element.js'
import { count } from './format.js'

const ENTRIES_MAX = 30
const VERBS = { insert: 'inserted', update: 'updated', delete: 'deleted' }

/** Follows a database's changes. */
export function followActivity(db) {
  const list = byId('activity')
  return db.on('change', change => {
    byId('activity-none').hidden = true
    list.prepend(entryOf(change))
    while (list.children.length > ENTRIES_MAX) list.lastChild.remove()
  })
}

function entryOf({ seq, own, reset, changes }) {
  const by = own ? 'this tab' : 'another tab'
  return element('li', { className: own ? 'own' : 'other' },
    element('p', {}, reset ? 'much at once' : sum(changes)),
    element('p', { className: 'hint' }, element('span', { className: 'who' }, by), ` · commit ${count(seq)} · `,
      element('time', { dateTime: new Date().toISOString() }, new Date().toLocaleTimeString())))
}

/** `flights: 1,000 inserted, 2 deleted`. */
function sum(changes) {
  const counts = new Map()
  for (const { collection, kind } of changes) {
    const kinds = counts.get(collection) ?? counts.set(collection, {}).get(collection)
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  return [...counts].map(([name, kinds]) => `${name}: ${Object.entries(kinds).map(([kind, n]) => `${count(n)} ${VERBS[kind]}`).join(', ')}`).join('; ')
}
