// A channel in front of a collection whose schema is called here, because no JSON Schema says the same.
//
// Not in the engine's way: what reads goes through as it is.
// How: documents that are inserted or put are given to the schema first, and what it gives out is stored. What becomes of
// other writes is known to the engine alone, so these run in a transaction and tell what they wrote; that is given to the
// schema, whatever it gives out takes its place, and only then it is committed.
// Invariants: nothing is committed that the schema did not accept; what it throws or refuses leaves no effect, and spoils
// the transaction of a user where one is under way; a schema may be asynchronous.

import type { Channel } from './channel.js'
import { encode, type Request } from './codec.js'
import { HyphaError, invalid, quote } from './errors.js'
import { isPlainObject } from './plain.js'
import type { InsertManyResult, StandardIssue, StandardSchema, Violation, WriteError, WriteOptions } from './types.js'

/** Runs work on a channel whose writes take effect together, or not at all; answers with the commit, where there is one. */
export type Together = (work: (channel: Channel) => Promise<object>, options: WriteOptions | undefined) => Promise<object>

/** What is needed of a transaction of a user. */
interface Underway {
  /** Runs work when what was put in line before has ended. */
  inLine<R>(work: () => Promise<R>): Promise<R>
  /** It is never committed. */
  spoil(reason: unknown): void
}

/** What of a violation the standard does not tell. */
const UNTOLD = { keyword: '~standard', schemaPointer: '' }
/** Violations that are told at once: as many as the engine tells. */
const VIOLATIONS_MAX = 100

/** A channel of a database that has the schema called. */
export function checked(channel: Channel, schema: StandardSchema, together: Together): Channel {
  const writes = new Writes(channel, schema, together)
  const { insert: _, ...rest } = channel
  return { ...rest, write: (request, options) => writes.write(request, options) }
}

/** The same of a transaction of a user. There writes go one after the other, so that none takes another's place. */
export function checkedWithin(channel: Channel, schema: StandardSchema, transaction: Underway): Channel {
  const writes = new Writes(channel, schema, async (work) => {
    try {
      return await work(channel)
    } catch (thrown) {
      transaction.spoil(thrown)
      throw thrown
    }
  })
  return {
    ask: (request, options) => channel.ask(request, options),
    write: (request, options) => transaction.inLine(() => writes.write(request, options)),
  }
}

/** The writing requests. */
class Writes {
  readonly #channel: Channel
  readonly #schema: StandardSchema
  readonly #together: Together

  constructor(channel: Channel, schema: StandardSchema, together: Together) {
    this.#channel = channel
    this.#schema = schema
    this.#together = together
  }

  async write(request: Request, options: WriteOptions | undefined): Promise<unknown> {
    switch (request['op']) {
      case 'insert': return request['ordered'] === false ? this.#insertEach(request, options) : this.#insert(request, options)
      case 'put': return this.#insert(request, options)
      case 'delete': case 'delete_keys': return this.#channel.write(request, options)
      default: return this.#together((channel) => this.#change(channel, request), options)
    }
  }

  async #insert(request: Request, options: WriteOptions | undefined): Promise<unknown> {
    const docs = request['docs'] as readonly unknown[]
    const judged: unknown[] = []
    for (let position = 0; position < docs.length; position++) {
      judged.push(await this.#judge(docs[position], request, docs.length === 1 ? {} : { position: String(position) }))
    }
    return this.#channel.write({ ...request, docs: judged }, options)
  }

  /** Those that are valid; the others are told beside those that the engine refuses. */
  async #insertEach(request: Request, options: WriteOptions | undefined): Promise<unknown> {
    const docs = request['docs'] as readonly unknown[]
    const judged: unknown[] = []
    const places: number[] = []
    const writeErrors: WriteError[] = []
    for (let index = 0; index < docs.length; index++) {
      try {
        judged.push(await this.#judge(docs[index], request, {}))
        places.push(index)
      } catch (thrown) {
        const { code, message, details } = thrown as HyphaError
        if (code !== 'invalid') throw thrown
        writeErrors.push({ index, code, message, details: { violations: details['violations'] as Violation[] } })
      }
    }
    const answer = (await this.#channel.write({ ...request, docs: judged }, options)) as InsertManyResult
    const insertedIds: InsertManyResult['insertedIds'] = docs.map(() => null)
    answer.insertedIds.forEach((id, place) => { insertedIds[places[place]!] = id })
    for (const error of answer.writeErrors ?? []) writeErrors.push({ ...error, index: places[error.index]! })
    writeErrors.sort((a, b) => a.index - b.index)
    return { ...answer, insertedIds, writeErrors }
  }

  async #change(channel: Channel, request: Request): Promise<object> {
    const { written, ...answer } = (await channel.write({ ...request, returning: true }, undefined)) as { written: object[]; doc?: unknown }
    const judged: object[] = []
    for (const document of written) judged.push(await this.#judge(document, request, {}))
    if (judged.every((document, place) => isSame(document, written[place]!))) return answer
    // All of them: one document may have been written several times.
    await channel.write({ op: 'put', collection: request['collection'], docs: judged }, undefined)
    return request['return_document'] === 'after' ? { ...answer, doc: judged.at(-1) } : answer
  }

  #judge(document: unknown, request: Request, position: { position?: string }): Promise<object> {
    return judge(this.#schema, document, String(request['collection']), position)
  }
}

/** What a schema gives out for a document. */
export async function judge(schema: StandardSchema, document: unknown, collection: string, position: { position?: string }): Promise<object> {
  let result: Awaited<ReturnType<StandardSchema['~standard']['validate']>>
  try {
    result = await schema['~standard'].validate(document)
  } catch (thrown) {
    throw invalid(`schema of collection ${quote(collection)} could not be called`, { hint: 'its `validate` threw; see `cause`', details: { collection, ...position }, cause: thrown })
  }
  if (result.issues !== undefined) throw refused(result.issues, collection, position)
  if (!isPlainObject(result.value)) throw invalid(`schema of collection ${quote(collection)} gave out no document`, { hint: 'a schema of documents gives out plain objects', details: { collection, ...position } })
  return result.value
}

function refused(issues: readonly StandardIssue[], collection: string, position: { position?: string }): HyphaError {
  const violations = issues.slice(0, VIOLATIONS_MAX).map(({ message, path }): Violation => ({ pointer: pointerOf(path), ...UNTOLD, reason: message }))
  const { pointer, reason } = violations[0] ?? { pointer: '', reason: 'not valid' }
  const which = position.position === undefined ? '' : `document ${position.position}: `
  const more = violations.length > 1 ? `, and ${violations.length - 1} more violations` : ''
  const line = reason.replace(/\s+/gu, ' ').replace(/\.$/u, '')
  return invalid(`${which}collection ${quote(collection)}: ${quote(pointer)}: ${line}${more}`, {
    hint: 'see `details.violations`; nothing of the document was written', details: { collection, ...position, violations },
  })
}

function pointerOf(path: StandardIssue['path']): string {
  const tokens = (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part))
  return tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** Whether two documents are stored alike. */
function isSame(left: object, right: object): boolean {
  if (left === right) return true
  const [a, b] = [encode(left, 'document'), encode(right, 'document')]
  return a.length === b.length && a.every((byte, place) => byte === b[place])
}
