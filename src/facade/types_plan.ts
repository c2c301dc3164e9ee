// Types of what `explain` answers.
//
// Not code: nothing of this file is left after compiling.

/** What a way to answer is expected to read, estimated from what is in memory. `cost` is in units of about a microsecond. */
export interface PlanEstimate { keys: number; documents: number; cost: number }

/** In a few words, which way a query goes. */
export interface PlanSummary {
  /** By primary keys, a range of them, an index, words in a text index, several ways together (`$or`), what two indexes have
   * in common, or by looking at everything. */
  plan: 'key' | 'primary' | 'index' | 'text' | 'union' | 'intersection' | 'scan'
  index?: string
  /** What is bound, for people. */
  bounds?: string
  /** Of an intersection: what else a document has to be found by, for people. */
  among?: string
  /** Whether documents come in the wanted order by themselves. */
  sorted: boolean
  /** Whether documents are looked at again with the filter. */
  residual: boolean
  estimate: PlanEstimate
}

/** A step of a plan; it reads what its `input` gives, or keys where it has none. */
export type PlanStage =
  | { stage: 'key' | 'primary' | 'index' | 'text' | 'scan'; index?: string; bounds?: string; ranges: number; direction: 'ascending' | 'descending'; asks?: string }
  | { stage: 'union' | 'intersection'; inputs: PlanStage[] }
  /** Takes the next of all that each range or input gives in order. */
  | { stage: 'merge'; by: [string, 1 | -1][]; input: PlanStage }
  /** Documents are looked up; not where entries have all that is wanted of them, and tell it exactly. */
  | { stage: 'each_once' | 'documents'; input: PlanStage }
  | { stage: 'filter'; fields: string[]; input: PlanStage }
  /** Keeps so many while all are read, or all. */
  | { stage: 'sort'; by: [string, 1 | -1][]; keeps?: number; input: PlanStage }
  | { stage: 'limit'; skip: number; limit?: number; input: PlanStage }

/** What was really read. Blocks are those that all of the engine's work fetched meanwhile. */
export interface PlanExecution { keys: number; documents: number; blocksFetched: number; returned: number; timeMs: number }

/** How a query would be answered. */
export interface Plan extends PlanSummary {
  tree: PlanStage
  /**
   * The fields that are asked of vectors instead of documents: which match, and what is grouped. Where a field turns out to
   * hold arrays or several types, documents are read after all; `execution.documents` tells.
   */
  vectors?: string[]
  /** What else could have been done, the best first, and why it was not. */
  alternatives: (PlanSummary & { because: string })[]
  /** Of `explain('executionStats')`. */
  execution?: PlanExecution
}

/** Whether a query is carried out to explain it. */
export type ExplainMode = 'queryPlanner' | 'executionStats'
