// The document types that the type tests use.
import type { Collection, Database } from 'hyphadb'

export interface Reading {
  id: string
  agent: number
  ts: Date
  site: 'north' | 'south'
  value: number | null
  total: bigint
  tags: string[]
  place: { city: string; at?: { lat: number; lon: number } }
  items: { name: string; price: number }[]
  raw?: Uint8Array
}

/** A type that contains itself: paths must end. */
export interface Tree {
  id: string
  label: string
  left?: Tree
  right?: Tree
  children: Tree[]
}

export type Schema = { readings: Reading; trees: Tree }

export declare const db: Database<Schema>
export declare const readings: Collection<Reading>
export declare const trees: Collection<Tree>
export declare const anything: Collection

/** Fails to compile unless the two types are the same. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
export declare function expect<T extends true>(): T
