// Where the requests of a collection go: to the database, or into one of its transactions.
//
// Not an implementation: `database.ts` and `transaction.ts` have one each.

import type { Request } from './codec.js'
import type { Follower } from './live.js'
import type { CallOptions, InsertOneResult, WriteOptions } from './types.js'

/** Takes requests and gives answers. */
export interface Channel {
  /** The answer to a `get` of one key, at once where the document is in memory; there where that is quicker than to ask. */
  get?(collection: string, key: unknown): unknown
  ask(request: Request, options: CallOptions | undefined): Promise<unknown>
  /** Follows a query; answers how to stop that. Not there in a transaction. */
  live?(request: Request, follower: Follower): () => void
  write(request: Request, options: WriteOptions | undefined): Promise<unknown>
  /** One document, which may go out together with others; `undefined` where it must be a request of its own. */
  insert?(collection: string, document: object, options: WriteOptions | undefined): Promise<InsertOneResult> | undefined
}
