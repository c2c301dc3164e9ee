// The one error of the package.
//
// Not a list of what can go wrong: a code exists because a caller would act differently (`src/error.rs`).
// Invariants: ERROR_CODES equals Rust's `ErrorKind::ALL` (a test compares); a message is one line, lower-case, with user
// input in backticks; every error has a hint.

/** What the caller should do: the stable part of an error. */
export type ErrorCode =
  | 'invalid' | 'not_found' | 'already_exists' | 'conflict' | 'denied' | 'limit' | 'unavailable' | 'closed'
  | 'corrupt' | 'lost' | 'unsupported' | 'cancelled' | 'internal'

/** Advice for an error that carries none of its own, by code; the same words as in `src/error.rs`. */
const HINTS: Readonly<Record<ErrorCode, string>> = {
  invalid: 'fix the request; nothing was written',
  not_found: 'check the name, or create it first',
  already_exists: 'use another key, or `put` to replace; nothing was written',
  conflict: 'run the transaction again',
  denied: 'ask for a policy that allows this',
  limit: 'make it smaller, or delete something; reads go on',
  unavailable: 'try again later',
  closed: 'open the database again',
  corrupt: 'restore the named ranges from a backup; the rest stays readable',
  lost: 'restore a backup',
  unsupported: 'reload with a newer version of hyphadb',
  cancelled: 'nothing was written; call again when wanted',
  internal: 'this is a bug in hyphadb: please report it with this message',
}

/** Every code, in the order of the documentation. */
export const ERROR_CODES = Object.keys(HINTS) as ErrorCode[]

/** Facts about an error for programs, e.g. `{ index: 'by_email', key: 'a@b' }`. */
export type ErrorDetails = Readonly<Record<string, unknown>>

/** What may be said about an error besides its code and message. */
export interface ErrorOptions {
  hint?: string | undefined
  details?: ErrorDetails | undefined
  cause?: unknown
}

/**
 * Why a call failed, and what to do about it.
 *
 * `code` and `details` are for programs and stay as they are; `message` and `hint` are for people and may be reworded.
 */
export class HyphaError extends Error {
  readonly code: ErrorCode
  /** Whether the same call may succeed when it is made again unchanged. */
  readonly retryable: boolean
  /** What to do about it. */
  readonly hint: string
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = code === 'conflict' || code === 'unavailable'
    this.hint = options.hint ?? HINTS[code]
    this.details = options.details ?? {}
  }

  override get name(): string {
    return 'HyphaError'
  }

  /** All of it as plain data: for logs and for messages between workers. */
  toJSON(): { name: string; code: ErrorCode; message: string; retryable: boolean; hint: string; details: ErrorDetails } {
    const { name, code, message, retryable, hint, details } = this
    return { name, code, message, retryable, hint, details }
  }
}

/** Shorthand for the most frequent one: the request is wrong. */
export function invalid(message: string, options?: ErrorOptions): HyphaError {
  return new HyphaError('invalid', message, options)
}

/** Text of a user, quoted for a message: in backticks, on one line, not endless. */
export function quote(text: unknown): string {
  let line: string
  try {
    line = String(text).replace(/\s+/gu, ' ')
  } catch {
    line = typeof text
  }
  return '`' + (line.length > 80 ? line.slice(0, 79) + '…' : line) + '`'
}

/** Whether the wasm instance trapped (or ran out of stack, unwinding nothing): it must not be called again. */
export function isTrap(thrown: unknown): boolean {
  return thrown instanceof WebAssembly.RuntimeError || thrown instanceof RangeError || (thrown as Error | null)?.name === 'InternalError'
}
