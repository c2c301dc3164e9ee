// Schemas as callers give them: a JSON Schema, or a Standard Schema object (zod, valibot, arktype, …).
//
// Not validation: a JSON Schema is the engine's (`src/schema.rs`), wherever that runs; a Standard Schema that says the same
// as a JSON Schema becomes one. Only one that cannot be said so is called here, by `checked.ts`.
// Invariant: nothing that a schema asks is left out in silence. A conversion is taken where input and output are the same
// values, but for defaults, and where no check is known to be missing in it.
//
// Sources: https://standardschema.dev, https://standardschema.dev/json-schema.

import { HyphaError, invalid } from './errors.js'
import { describe } from './options.js'
import { isPlainObject } from './plain.js'
import type { StandardSchema } from './types.js'

type Json = Record<string, unknown>
/** What the engine is given, or what is called here. */
export type ReadSchema = { readonly json: Json } | { readonly called: StandardSchema }

/** In patterns: what the engine's do not have. A text that looks so costs no more than a call. */
const LOOK_AROUND = /\(\?<?[=!]|\\\\[1-9]/u
const DIALECT = { target: 'draft-2020-12' } as const

/** Reads the options `schema` and `validation` of a collection. */
export function readSchema(schema: unknown, validation: unknown, where: string): ReadSchema | undefined {
  if (schema === undefined) return undefined
  const standard = standardOf(schema)
  if (standard === undefined) {
    if (!isPlainObject(schema)) throw invalid(`schema of ${where} is ${describe(schema)}, not an object`, { hint: 'pass a JSON Schema, or a Standard Schema (zod, valibot, arktype)' })
    if (validation === 'called') throw invalid(`schema of ${where} is a JSON Schema, which cannot be called`, { hint: 'leave `validation` out' })
    return { json: schema }
  }
  const called = { called: schema as StandardSchema }
  if (validation === 'called') return called
  const json = convert(schema as StandardSchema)
  if (json !== undefined) return { json }
  if (validation === undefined) return called
  throw new HyphaError('unsupported', `schema of ${where} cannot be said as a JSON Schema`, {
    hint: 'leave `validation` out: it is then called for each document that is written', details: { vendor: standard.vendor },
  })
}

function standardOf(schema: unknown): { vendor: string } | undefined {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return undefined
  const standard = (schema as Partial<StandardSchema>)['~standard']
  return typeof standard?.validate === 'function' ? { vendor: String(standard.vendor) } : undefined
}

/** The JSON Schema that says the same; `undefined` where there is none. */
function convert(schema: StandardSchema): Json | undefined {
  const { jsonSchema, vendor } = schema['~standard']
  if (jsonSchema === undefined || (LOSSY[vendor]?.(schema) ?? false)) return undefined
  try {
    const input = jsonSchema.input(DIALECT)
    if (LOOK_AROUND.test(JSON.stringify(input))) return undefined
    return isSame(input, jsonSchema.output(DIALECT)) ? input : undefined
  } catch {
    return undefined
  }
}

/**
 * Whether two schemas say the same of a document to which defaults were filled: what is asked for only in the output has a
 * default, and only the output may be closed, because what was not asked for has been dropped there.
 */
function isSame(input: unknown, output: unknown): boolean {
  if (Array.isArray(input) && Array.isArray(output)) return input.length === output.length && input.every((part, index) => isSame(part, output[index]))
  if (!isPlainObject(input) || !isPlainObject(output)) return Object.is(input, output)
  const { required: asked = [], additionalProperties: others, ...rest } = input
  const { required: given = [], additionalProperties: othersOut, ...restOut } = output
  const isClosed = othersOut === false && others === undefined
  if (!isClosed && !isSame(others, othersOut)) return false
  const names = Object.keys(rest)
  if (names.length !== Object.keys(restOut).length || !names.every((name) => Object.hasOwn(restOut, name) && isSame(rest[name], restOut[name]))) return false
  const hasDefault = (name: unknown): boolean => isPlainObject(rest['properties']) && isPlainObject(rest['properties'][name as string]) && Object.hasOwn(rest['properties'][name as string] as Json, 'default')
  // Either may be the name of a field, or a field called so.
  if (!Array.isArray(asked) || !Array.isArray(given)) return isSame(asked, given)
  return asked.every((name) => given.includes(name)) && given.every((name) => asked.includes(name) || hasDefault(name))
}

/** Of libraries whose conversion leaves checks out without a word: whether this schema has such. */
const LOSSY: Readonly<Record<string, (schema: unknown) => boolean>> = {
  // `refine`, `superRefine`, and what changes a value in place, as `trim` does.
  zod: (schema) => anywhere(schema, (part) => {
    const definition = (part as { _zod?: { def?: Json } })._zod?.def ?? (part as Json)
    return definition['check'] === 'custom' || definition['check'] === 'overwrite'
  }),
  // Narrowings, morphs, and what JSON has not, which become schemas that let everything pass.
  arktype: (schema) => anywhere((schema as { json?: unknown }).json, (part, key) =>
    typeof part === 'string' ? !ARKTYPE_TEXTS.includes(key) && !ARKTYPE_TYPES.includes(part) : 'predicate' in (part as Json) || 'morphs' in (part as Json)),
}
/** Where arktype's own notation has a text that is no type, and the types that JSON Schema says as well. */
const ARKTYPE_TEXTS = ['key', 'unit', 'rule', 'flags', 'pattern', 'meta', 'description', 'format', 'undeclared']
const ARKTYPE_TYPES = ['string', 'number', 'object', 'Array']

/** Whether an object or text in a value, however deep, is such a one; `key` is the nearest name that it stands under. */
function anywhere(value: unknown, is: (part: object | string, key: string) => boolean): boolean {
  const met = new Set<unknown>()
  const visit = (part: unknown, key: string): boolean => {
    if (typeof part === 'string') return is(part, key)
    if (typeof part !== 'object' || part === null || met.has(part)) return false
    met.add(part)
    if (is(part, key)) return true
    if (Array.isArray(part)) return part.some((element) => visit(element, key))
    const inner = (part as { _zod?: { def?: unknown; innerType?: unknown } })._zod
    if (inner !== undefined) return visit(inner.def, key) || visit(inner.innerType, key)
    return Object.entries(part).some(([name, below]) => visit(below, name))
  }
  return visit(value, '')
}
