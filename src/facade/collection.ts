// A collection: its documents, its indexes, its figures.
//
// Not for transactions: indexes are made outside of them.
// Invariant: an index whose making was given up is not left behind.

import type { Channel } from './channel.js'
import { readIndex } from './config.js'
import { Documents, CREATE_INDEX } from './documents.js'
import { quote } from './errors.js'
import { CALL, checkOptions } from './options.js'
import { Patience } from './patience.js'
import { turn } from './timer.js'
import type { CallOptions, CreateIndexOptions, Document, IndexInfo, IndexInput, IndexProgress, Stats } from './types.js'

export class Collection<T extends object = Document> extends Documents<T> {
  readonly #maintain: () => Promise<boolean>

  /** @internal Made by `collection`. */
  constructor(channel: Channel, name: string, maintain: () => Promise<boolean>) {
    super(channel, name)
    this.#maintain = maintain
  }

  /** Makes an index, of the documents that are there too; answers with its name when it is ready. */
  async createIndex(spec: IndexInput<T>, options?: CreateIndexOptions): Promise<string> {
    checkOptions(options, CREATE_INDEX, 'createIndex')
    const patience = Patience.from(options)
    patience?.check()
    const index = readIndex(spec, `collection ${quote(this.name)}`)
    const { name } = (await this.#ask({ op: 'create_index', spec: index })) as { name: string }
    try {
      await this.#build(name, options?.onProgress, patience)
    } catch (thrown) {
      await this.#ask({ op: 'drop_index', name }).catch(() => undefined)
      throw thrown
    }
    return name
  }

  /** Removes an index. */
  async dropIndex(name: string, options?: CallOptions): Promise<void> {
    checkOptions(options, CALL, 'dropIndex')
    Patience.from(options)?.check()
    await this.#ask({ op: 'drop_index', name })
  }

  async indexes(options?: CallOptions): Promise<IndexInfo[]> {
    checkOptions(options, CALL, 'indexes')
    return ((await this.#ask({ op: 'indexes' }, options)) as { indexes: IndexInfo[] }).indexes
  }

  /** Figures about the collection. */
  async stats(options?: CallOptions): Promise<Stats> {
    checkOptions(options, CALL, 'stats')
    return (await this.#ask({ op: 'stats' }, options)) as Stats
  }

  /** Works at the index, a slice at a time, until it is ready. */
  async #build(name: string, onProgress: CreateIndexOptions['onProgress'], patience: Patience | undefined): Promise<void> {
    for (;;) {
      patience?.check()
      const progress = (await this.#ask({ op: 'index_progress', name })) as IndexProgress
      onProgress?.(progress)
      if (progress.done >= progress.total) return
      await this.#maintain()
      await turn()
    }
  }

  #ask(request: object, options?: CallOptions): Promise<unknown> {
    return this.channel.ask({ ...request, collection: this.name }, options)
  }
}
