// Small line charts of growth as one SVG: a panel for each measure, the number of documents along a logarithmic axis.
//
// Plain functions of the numbers; no dependency. Colours follow the reader's light or dark scheme.

const PANEL = { width: 300, height: 210, left: 52, right: 18, top: 44, bottom: 34 }
const COLUMNS = 3
const MARGIN = 12
const HEAD = 46
const TICKS = 4

const STYLE = `
  svg { --ink: #1f2328; --soft: #656d76; --line: #d8dee4; --paper: #ffffff; --one: #0a7a5c; --two: #b35900; font: 12px system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --soft: #8d96a0; --line: #30363d; --paper: #0d1117; --one: #3fcf9f; --two: #f0a35e; } }
  .paper { fill: var(--paper); } text { fill: var(--soft); } .title { fill: var(--ink); font-weight: 600; } .head { fill: var(--ink); font-size: 15px; font-weight: 600; }
  .grid { stroke: var(--line); } .line { fill: none; stroke-width: 2; } .s0 { stroke: var(--one); } .s1 { stroke: var(--two); stroke-dasharray: 5 3; }
  .d0, .t0 { fill: var(--one); } .d1, .t1 { fill: var(--two); } .y, .end { text-anchor: end; } .x { text-anchor: middle; }`

const escaped = text => text.replace(/[&<>]/g, sign => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign])
const place = number => Math.round(number * 10) / 10

/** A round number not below `value`: 1, 2, 2.5 or 5 times a power of ten. */
export function roundUp(value) {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 2.5, 5, 10].map(step => step * power).find(step => step >= value * 0.999999)
}

/** 1200000 as 1.2M. */
export function short(value) {
  const [unit, sign] = value >= 1e6 ? [1e6, 'M'] : value >= 1e3 ? [1e3, 'k'] : [1, '']
  return `${Number((value / unit).toPrecision(3))}${sign}`
}

/** How numbers become places in a panel; the upper edge is a multiple of its steps. */
function scales(series) {
  const points = series.flatMap(({ points }) => points)
  const documents = points.map(([count]) => Math.log10(count))
  const [first, last] = [Math.min(...documents), Math.max(...documents)]
  const step = roundUp(Math.max(...points.map(([, value]) => value)) / TICKS)
  const [inner, height] = [PANEL.width - PANEL.left - PANEL.right, PANEL.height - PANEL.top - PANEL.bottom]
  return {
    step,
    counts: [...new Set(points.map(([count]) => count))].sort((a, b) => a - b),
    x: count => place(PANEL.left + (last > first ? (Math.log10(count) - first) / (last - first) : 0.5) * inner),
    y: value => place(PANEL.top + (1 - value / (step * TICKS)) * height),
  }
}

function axes({ step, counts, x, y }) {
  const levels = Array.from({ length: TICKS + 1 }, (_, number) => number * step)
  return [
    ...levels.map(level => `<path class="grid" d="M${PANEL.left} ${y(level)}H${PANEL.width - PANEL.right}"/><text class="y" x="${PANEL.left - 6}" y="${y(level) + 4}">${short(level)}</text>`),
    ...counts.map(count => `<text class="x" x="${x(count)}" y="${PANEL.height - PANEL.bottom + 18}">${short(count)}</text>`),
  ]
}

function curve({ points }, number, { x, y }) {
  const path = points.map(([count, value], index) => `${index ? 'L' : 'M'}${x(count)} ${y(value)}`).join('')
  const dots = points.map(([count, value]) => `<circle class="d${number}" cx="${x(count)}" cy="${y(value)}" r="3"><title>${count.toLocaleString('en-US')}: ${short(value)}</title></circle>`)
  return [`<path class="line s${number}" d="${path}"/>`, ...dots]
}

/** The names of two curves stand above them, in their colours; one curve needs none. */
function legend(series) {
  if (series.length < 2) return []
  const parts = series.map(({ name }, number) => `<tspan class="t${number}">${number ? ' \u00a0 ' : ''}${escaped(name)}</tspan>`)
  return [`<text x="${PANEL.left}" y="34">${parts.join('')}</text>`]
}

function panel({ title, unit, series }, number) {
  const [left, top] = [MARGIN + (number % COLUMNS) * PANEL.width, HEAD + Math.floor(number / COLUMNS) * PANEL.height]
  const scale = scales(series)
  const parts = [
    `<text class="title" x="${PANEL.left}" y="16">${escaped(title)}, ${escaped(unit)}</text>`,
    ...legend(series),
    ...axes(scale),
    ...series.flatMap((one, index) => curve(one, index, scale)),
  ]
  return `<g transform="translate(${left} ${top})">\n${parts.join('\n')}\n</g>`
}

/** The SVG of panels `{ title, unit, series: [{ name, points: [[documents, value]] }] }`; at most two series in each. */
export function chart(title, note, panels) {
  const width = 2 * MARGIN + COLUMNS * PANEL.width
  const height = HEAD + Math.ceil(panels.length / COLUMNS) * PANEL.height + 26
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}
</style>
<rect class="paper" width="${width}" height="${height}" rx="6"/>
<text class="head" x="${MARGIN + 12}" y="26">${escaped(title)}</text>
${panels.map(panel).join('\n')}
<text x="${MARGIN + 12}" y="${height - 12}">${escaped(note)}</text>
</svg>
`
}
