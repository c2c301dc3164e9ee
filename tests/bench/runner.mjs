// The order of a run: every round visits every adapter once, each round beginning with another one.
//
// Not a cell, and not the report. What happens to the machine meanwhile so meets all adapters alike.
import { catalogue } from './catalogue.mjs'
import { runCell } from './cell.mjs'

/** The adapters of a round: the same circle, entered one further each time. */
export function rotated(names, round) {
  const first = round % names.length
  return [...names.slice(first), ...names.slice(0, first)]
}

/** All cells of a run, in their order. */
export function planned({ browsers, adapters, rounds }) {
  const cells = []
  for (let round = 0; round < rounds; round++) {
    for (const browser of browsers) cells.push(...rotated(adapters, round).map(adapter => ({ browser, adapter, round })))
  }
  return cells
}

/** Runs all cells; `onCell(done, ahead)` is told of each. Answers with the cells. */
export async function runAll({ browsers, adapters, rounds, documents, seed, workloads, ...places }, onCell) {
  const cells = []
  const ahead = planned({ browsers, adapters, rounds })
  while (ahead.length) {
    const { browser, adapter, round } = ahead.shift()
    const most = catalogue[adapter].documents_max ?? documents
    cells.push(await runCell({ browser, adapter, round, seed: seed + round, documents: Math.min(documents, most), workloads, ...places }))
    await onCell(cells, ahead)
  }
  return cells
}
