// The page's script: lets the runner start a phase.
//
// Nothing of an adapter is loaded here; that is part of what is measured.
import { runPhase } from './workloads.js'

globalThis.runPhase = async (name, settings) => {
  try {
    return await runPhase(name, settings)
  } catch (error) {
    const isThere = error?.name !== 'NotThere'
    return isThere ? { error: `${name}: ${error?.name ?? 'Error'}: ${error?.message ?? error}` } : { notThere: error.message }
  }
}
