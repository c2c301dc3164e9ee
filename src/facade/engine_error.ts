// The door through which the engine's errors become errors of the package.
//
// Not a judge: what the engine says of itself is passed on. Anything else that was thrown is a bug, and says so.

import { decode } from './decoder.js'
import { ERROR_CODES, type ErrorCode, type ErrorDetails, HyphaError, quote } from './errors.js'

/** What the engine threw, as a HyphaError. Anything that is not the engine's own kind of error is `internal`. */
export function fromEngine(thrown: unknown): HyphaError {
  if (thrown instanceof HyphaError) return thrown
  const said = thrown as { code?: unknown; message?: unknown; hint?: unknown; details?: unknown } | null | undefined
  if (typeof said === 'object' && said !== null && isCode(said.code)) {
    return new HyphaError(said.code, String(said.message), {
      hint: typeof said.hint === 'string' && said.hint !== '' ? said.hint : undefined,
      details: typeof said.details === 'object' && said.details !== null ? readable(said.details as ErrorDetails) : undefined,
    })
  }
  return new HyphaError('internal', `unexpected failure: ${quote(said?.message ?? thrown)}`, { cause: thrown })
}

/** Values of documents come encoded. */
function readable(details: ErrorDetails): ErrorDetails {
  return Object.fromEntries(Object.entries(details).map(([name, fact]) => [name, fact instanceof Uint8Array ? decode(fact) : fact]))
}

function isCode(code: unknown): code is ErrorCode {
  return ERROR_CODES.includes(code as ErrorCode)
}
