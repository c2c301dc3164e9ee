// Types of documents, from the schemas that they are held against.
//
// Not code: nothing of this file is left after compiling. What a schema does at run time is `standard.ts` and the engine's.
// Invariants: recursion is bounded (ten levels; below that anything), so a schema that refers to itself costs a bounded
// amount of checking; what a keyword cannot say in types is left out of the type, never guessed.

import type { CollectionConfig, Document, StandardSchema } from './types.js'

/** How deep schemas are followed. */
type Depth = 10
type Less = [never, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

/** A collection whose documents are of one type when they are read, and may be of another when they are written. */
export interface Typed<Output, Input = Output> {
  readonly '~output': Output
  readonly '~input': Input
}

/** The documents of a collection, by what stands for it among the schemas of a database. */
export type OutputOf<T> = T extends Typed<infer Output extends object, any> ? Output : T extends object ? T : Document
/** What may be written into it. */
export type InputOf<T> = T extends Typed<any, infer Input extends object> ? Input : T extends object ? T : Document

/** The types of collections, by their configurations. */
export type SchemasOf<C> = { -readonly [Name in keyof C]: C[Name] extends { readonly schema: infer S } ? Typed<InferOutput<S>, InferInput<S>> : Document }

/** Configurations in which no option stands that there is not. */
export type Known<C> = { readonly [Name in keyof C]: { readonly [Option in Exclude<keyof C[Name], keyof CollectionConfig>]: never } }

/** The type of documents that are valid: of a JSON Schema literal, or of a Standard Schema. */
export type InferOutput<S> = AsDocument<S extends StandardSchema<any, infer Output> ? Standard<S, 'output', Output> : FromSchema<S, 'output'>>
/** The type of what may be written: fields with a `default` may be missing. */
export type InferInput<S> = AsDocument<S extends StandardSchema<infer Input, any> ? Standard<S, 'input', Input> : FromSchema<S, 'input'>>

type Standard<S extends StandardSchema<any, any>, Side extends 'input' | 'output', Else> = NonNullable<S['~standard']['types']> extends { readonly [K in Side]: infer T } ? T : Else
type AsDocument<T> = IsAny<T> extends true ? Document : unknown extends T ? Document : T extends object ? T : Document
type IsAny<T> = 0 extends 1 & T ? true : false

type Side = 'input' | 'output'

/** What is valid under a JSON Schema; `any` where it does not say. */
export type FromSchema<S, For extends Side = 'output', Root = S, D extends number = Depth> =
  [D] extends [never] ? any
  : S extends true ? any
  : S extends false ? never
  : string extends keyof S ? any
  : Merge<Own<S, For, Root, D>, Choices<S, For, Root, D>>

/** Both; what does not say anything does not count. */
type Merge<A, B> = IsAny<A> extends true ? B : IsAny<B> extends true ? A : Flat<A & B>
type Flat<T> = T extends Date | Uint8Array | readonly unknown[] ? T : T extends object ? { [K in keyof T]: T[K] } : T

type Choices<S, For extends Side, Root, D extends number> = Merge<Referred<S, For, Root, D>, Merge<AllOf<S, For, Root, D>, AnyOf<S, For, Root, D>>>
type Referred<S, For extends Side, Root, D extends number> =
  S extends { readonly $ref: '#' } ? FromSchema<Root, For, Root, Less[D]>
  : S extends { readonly $ref: `#/$defs/${infer Name}` }
    ? Root extends { readonly $defs: { readonly [K in Name]: infer Target } } ? FromSchema<Target, For, Root, Less[D]> : any
    : any
type AllOf<S, For extends Side, Root, D extends number> = S extends { readonly allOf: infer All extends readonly unknown[] } ? Every<All, For, Root, D> : any
type Every<All extends readonly unknown[], For extends Side, Root, D extends number> =
  All extends readonly [infer First, ...infer Rest] ? Merge<FromSchema<First, For, Root, Less[D]>, Every<Rest, For, Root, D>> : any
type AnyOf<S, For extends Side, Root, D extends number> =
  S extends { readonly anyOf: infer Any extends readonly unknown[] } ? FromSchema<Any[number], For, Root, Less[D]>
  : S extends { readonly oneOf: infer One extends readonly unknown[] } ? FromSchema<One[number], For, Root, Less[D]>
  : any

/** What the keywords beside the choices say. */
type Own<S, For extends Side, Root, D extends number> =
  S extends { readonly const: infer Value } ? Value
  : S extends { readonly enum: infer Values extends readonly unknown[] } ? Values[number]
  : S extends { readonly type: infer Name } ? OfType<Name extends readonly unknown[] ? Name[number] : Name, S, For, Root, D>
  : S extends { readonly 'x-type': infer Name } ? Beyond[Extract<Name extends readonly unknown[] ? Name[number] : Name, keyof Beyond>]
  : S extends { readonly properties: unknown } | { readonly required: unknown } ? Fields<S, For, Root, D>
  : S extends { readonly items: unknown } | { readonly prefixItems: unknown } ? Elements<S, For, Root, D>
  : any

/** Values that JSON has not. */
interface Beyond { date: Date; bytes: Uint8Array; bigint: bigint }

type OfType<Name, S, For extends Side, Root, D extends number> =
  | (Name extends 'string' ? string : Name extends 'number' | 'integer' ? number : Name extends 'boolean' ? boolean : Name extends 'null' ? null : never)
  | (Name extends 'object' ? Fields<S, For, Root, D> : Name extends 'array' ? Elements<S, For, Root, D> : never)
  | (S extends { readonly 'x-type': infer More } ? Beyond[Extract<More extends readonly unknown[] ? More[number] : More, keyof Beyond>] : never)

type Properties<S> = S extends { readonly properties: infer P } ? P : {}
type Required<S> = S extends { readonly required: readonly (infer Name)[] } ? Name : never
/** Those that are always there. */
type Certain<S, P, For extends Side> = { [K in keyof P]: P[K] extends { readonly default: unknown } ? (For extends 'output' ? K : never) : K extends Required<S> ? K : never }[keyof P]
/** Those that are asked for, and of which nothing else is said. */
type Bare<S, P> = Exclude<Extract<Required<S>, string>, keyof P>

type Fields<S, For extends Side, Root, D extends number, P = Properties<S>> = Flat<
  & { -readonly [K in Certain<S, P, For>]: FromSchema<P[K], For, Root, Less[D]> }
  & { -readonly [K in Exclude<keyof P, Certain<S, P, For>>]?: FromSchema<P[K], For, Root, Less[D]> }
  & { [K in Bare<S, P>]: any }
  & Others<S, For, Root, D>
>
/** Other fields have a type only where no field is named: with names, the types of these would have to fit it too. */
type Others<S, For extends Side, Root, D extends number> =
  S extends { readonly properties: unknown } ? {}
  : S extends { readonly additionalProperties: infer Other } ? { [field: string]: FromSchema<Other, For, Root, Less[D]> }
  : S extends { readonly required: unknown } ? {} : { [field: string]: any }

type Elements<S, For extends Side, Root, D extends number> =
  S extends { readonly prefixItems: infer First extends readonly unknown[] }
    ? [...{ -readonly [K in keyof First]: FromSchema<First[K], For, Root, Less[D]> }, ...(S extends { readonly items: infer Rest } ? (Rest extends false ? [] : FromSchema<Rest, For, Root, Less[D]>[]) : any[])]
  : S extends { readonly items: infer Item } ? FromSchema<Item, For, Root, Less[D]>[]
  : any[]
