// The page's script: lets the runner start a phase.
//
// Nothing of an adapter is loaded here; that is part of what is measured.
import { runQuery } from './query.js'
import { runScale } from './scale.js'
import { runPhase } from './workloads.js'

const KINDS = { compare: runPhase, query: runQuery, scale: runScale }

/** Runs a phase of one of the benchmarks; what it throws becomes an answer, for errors do not cross to node. */
globalThis.runPhase = async (kind, name, settings) => {
  try {
    return await KINDS[kind](name, settings)
  } catch (error) {
    const isThere = error?.name !== 'NotThere'
    return isThere ? { error: `${name}: ${error?.name ?? 'Error'}: ${error?.message ?? error}` } : { notThere: error.message }
  }
}
