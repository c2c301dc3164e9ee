// The plan of a query as a small tree: what is done last stands on top, what is read first at its ends.
// Not the choice: it draws what `explain('executionStats')` says, the alternatives with their reasons included.
import { element } from './element.js'
import { count, duration, plural } from './format.js'

/** In the words of the page; a stage that is not known here stands under its own name. */
const STAGES = {
  limit: ({ skip, limit }) => ['first', [limit === undefined ? undefined : plural(limit, 'document'), skip ? `after ${count(skip)}` : undefined].filter(Boolean).join(' ')],
  sort: ({ by, keeps }) => ['sort', `by ${by.map(([field, way]) => `${field}${way < 0 ? ' descending' : ''}`).join(', ')}${keeps === undefined ? '' : `, keeping ${count(keeps)}`}`],
  filter: ({ fields }) => ['compare', fields.join(', ')],
  documents: () => ['read documents', ''],
  each_once: () => ['each once', ''],
  union: ({ inputs }) => ['union', `of ${inputs.length}`],
  intersection: () => ['in both', ''],
  merge: ({ inputs }) => ['merge in order', inputs === undefined ? '' : `of ${inputs.length}`],
  index: ({ index, bounds, direction, asks }) => ['index', [index, bounds, direction === 'descending' && 'backwards', asks && `asked for ${asks}`].filter(Boolean).join(', ')],
  text: ({ index, bounds }) => ['text index', `${index}, ${bounds}`],
  primary: ({ bounds }) => ['primary key', bounds ?? ''],
  keys: ({ keys }) => ['by key', keys === undefined ? '' : plural(keys, 'key')],
  scan: () => ['every document', ''],
}

/** The plan, folded up; `isOpen` as it was. */
export function planTree({ tree, alternatives = [], estimate, execution }, isOpen, onToggle) {
  if (tree === undefined) return undefined
  return element('details', { className: 'explain', open: isOpen, 'data-focus': 'plan', ontoggle: event => onToggle(event.target.open) },
    element('summary', {}, 'Plan'),
    execution === undefined ? undefined : element('p', { className: 'hint' }, [
      `Read ${plural(execution.keys, 'key')} and ${plural(execution.documents, 'document')}, returned ${count(execution.returned)} in ${duration(execution.timeMs)}; `,
      `expected ${plural(estimate.keys, 'key')} and ${plural(estimate.documents, 'document')}.`]),
    element('ul', { className: 'stages' }, stage(tree)),
    alternatives.length === 0 ? undefined : element('p', { className: 'hint' }, 'Not taken:'),
    element('ul', { className: 'alternatives' }, alternatives.map(other)))
}

function other({ plan, index, bounds, because }) {
  return element('li', {}, element('strong', {}, [plan, index].filter(Boolean).join(' ')), bounds ? ` ${bounds}` : '', ` · ${because}`)
}

function stage(node) {
  const [name, about] = (STAGES[node.stage] ?? (() => [node.stage, '']))(node)
  const inputs = node.inputs ?? (node.input === undefined ? [] : [node.input])
  return element('li', {}, element('span', { className: 'stage' }, element('strong', {}, name), about === '' ? '' : ` ${about}`),
    inputs.length === 0 ? undefined : element('ul', {}, inputs.map(stage)))
}
