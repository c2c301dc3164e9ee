// Which step of the work a sample of the profiler belongs to.
//
// Plain functions of a profile as the browser gives it (`nodes`, `samples`, `timeDeltas`). A sample belongs to a checkpoint
// or compaction where one is anywhere on its stack; else to the step of the innermost function that has one: what is used
// everywhere (compression, copying, allocation) has none, and counts for its caller. What the compiler has put into its
// caller counts for the caller, too, so shares are good to some percent.

/** By the file of the facade. */
const SCRIPTS = [
  ['encode', /^(batch|encoder|walker|codec|plain|paths)\.js$/],
  ['decode', /^(decoder|table|makers|byte_reader)\.js$/],
  // The glue's functions count for whoever called them.
  ['facade', /^(?!engine\.js$).*\.js$/],
]

/** Calls of the browser, by name. */
const CALLS = [
  ['IndexedDB', /^(transaction|objectStore|put|get|getAll|getAllKeys|getKey|delete|commit|openCursor|openKeyCursor|continue|result)$/],
  ['locks', /^(query|request)$/],
]

/** By the module of a function in Rust, its most specific first. */
const MODULES = [
  ['IndexedDB', /^hyphadb::storage/],
  ['encode', /^hyphadb::(value::(batch|writer|shape|update|codec::(read|decode|take_|date))|db::(draft|operation|request))/],
  ['decode', /^hyphadb::(value::(table|codec)|db::answer)/],
  ['index', /^hyphadb::(engine::index|value::key)/],
  ['sort', /^(hyphadb::(sorted|engine::unsorted)|core::slice::sort|alloc::slice)/],
  ['log', /^hyphadb::engine::(record|packed|log|commit|frame::seal)/],
  ['memtable', /^hyphadb::engine::(memtable|write_set)/],
  ['blocks', /^hyphadb::engine::(blocks|block_cache|extents|segment|frame)/],
  ['compute', /^hyphadb::(query::(aggregate|expression)|db::aggregate)/],
  ['find', /^hyphadb::(query|db::(find|cursor|sorter|document|collection)|engine::(merge|run|lookup|snapshot|filter|slice|transaction|read_set)|value)/],
]
const BACKGROUND = /^hyphadb::engine::(checkpoint|compact|output|maintain|flip|space)/

/** The steps in the order of the report, in words. */
export const steps = {
  encode: 'encode: objects to bytes to rows',
  sort: 'sort',
  index: 'index: entries and keys',
  log: 'log: record and commit',
  memtable: 'write set and memtable',
  checkpoint: 'checkpoint and compaction',
  blocks: 'blocks: unpack and check',
  find: 'find: is it there, search, merge, filter',
  compute: 'compute: expressions and groups',
  decode: 'decode: rows to bytes to objects',
  IndexedDB: "IndexedDB: calls from the engine's thread",
  waiting: 'waiting for IndexedDB (nothing runs)',
  native: "browser's own code, callbacks among it",
  collector: 'garbage collector',
  locks: 'Web Locks: calls',
  facade: 'facade, promises, channel',
  other: 'other',
}

const SPECIAL = { '(program)': 'native', '(garbage collector)': 'collector', '(idle)': 'waiting', '(root)': 'other' }

/** The path of a function, without what it is generic over: `<A as B>::c` gives `A::c`. */
export function pathOf(name) {
  let depth = 0
  let path = ''
  const text = name.replace(/^<+(.*?)( as .*?)?>::/, '$1::').replaceAll('->', '')
  for (const letter of text) {
    if (letter === '<') depth++
    else if (letter === '>') depth--
    else if (depth === 0) path += letter
  }
  return path
}

function stepOf({ functionName, url }) {
  if (SPECIAL[functionName]) return SPECIAL[functionName]
  const call = url === '' && CALLS.find(([, name]) => name.test(functionName))
  if (call) return call[0]
  if (url.endsWith('.js')) return SCRIPTS.find(([, file]) => file.test(url.split('/').at(-1)))?.[0]
  const path = pathOf(functionName)
  if (BACKGROUND.test(path)) return 'checkpoint'
  return MODULES.find(([, module]) => module.test(path))?.[0]
}

/** The places of samples that belong to each part: from behind its first mark to its second. */
function windows(byId, samples) {
  const found = []
  let from
  samples.forEach((id, place) => {
    const name = byId.get(id).callFrame.functionName
    if (name === 'partBegins') from = place + 1
    if (name !== 'partEnds' || from === undefined) return
    found.push([from, place])
    from = undefined
  })
  return found
}

/** From a sampled profile, for each part: the milliseconds of each step, and of each function by itself. */
export function attributed({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map(node => [node.id, node]))
  const parent = new Map(nodes.flatMap(node => (node.children ?? []).map(child => [child, node])))
  const stepAt = once(id => {
    const stack = []
    for (let node = byId.get(id); node; node = parent.get(node.id)) stack.push(stepOf(node.callFrame))
    return stack.includes('checkpoint') ? 'checkpoint' : (stack.find(step => step !== undefined && step !== 'other') ?? 'other')
  })
  return windows(byId, samples).map(([from, to]) => {
    const ms = Object.fromEntries(Object.keys(steps).map(step => [step, 0]))
    const functions = new Map()
    for (let place = from; place < to; place++) {
      const step = stepAt(samples[place])
      const name = `${step}: ${pathOf(byId.get(samples[place]).callFrame.functionName) || '(anonymous)'}`
      const taken = timeDeltas[place] / 1_000
      ms[step] += taken
      functions.set(name, (functions.get(name) ?? 0) + taken)
    }
    return { ms, functions: [...functions].sort((a, b) => b[1] - a[1]) }
  })
}

/** The same answers, each found once. */
function once(find) {
  const known = new Map()
  return key => {
    if (!known.has(key)) known.set(key, find(key))
    return known.get(key)
  }
}
