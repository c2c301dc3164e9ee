// Types of dotted paths: which there are in a document type, and what lies at their end.
//
// Not code: nothing of this file is left after compiling.
// Invariants: recursion is bounded (five levels), so a type that contains itself costs a bounded amount of checking;
// what is `any` or has an index signature allows any path.

/** How deep paths are offered; below that any path is taken as it stands. */
type Depth = 5
type Less = [never, 0, 1, 2, 3, 4]

/** Values that have no fields of their own. */
export type Leaf = string | number | bigint | boolean | symbol | null | undefined | Date | Uint8Array | ((...args: never[]) => unknown)

export type IsAny<T> = 0 extends 1 & T ? true : false

/** The names of an object type that a path can begin with. */
type Names<T> = Extract<keyof T, string>

/**
 * Every dotted path of a document type. Arrays are passed through: `items.price` is the price of any element, and
 * `items.0.price` that of the first.
 */
export type Path<T, D extends number = Depth> =
  IsAny<T> extends true ? string
  : [D] extends [never] ? string
  : T extends Leaf ? never
  : T extends readonly (infer Element)[] ? `${number}` | Path<Element, D> | Below<`${number}`, Path<Element, Less[D]>>
  : string extends keyof T ? string
  : { [Name in Names<T>]: Name | Below<Name, Path<NonNullable<T[Name]>, Less[D]>> }[Names<T>]

type Below<Head extends string, Rest extends string> = [Rest] extends [never] ? never : `${Head}.${Rest}`

/** What lies at the end of a path; `any` where the type does not say. */
export type PathValue<T, P extends string> =
  IsAny<T> extends true ? any
  : T extends readonly (infer Element)[]
    ? P extends `${number}` ? Element
      : P extends `${number}.${infer Rest}` ? PathValue<NonNullable<Element>, Rest>
      : PathValue<NonNullable<Element>, P>
  : P extends keyof T ? T[P]
  : P extends `${infer Head}.${infer Rest}`
    ? Head extends keyof T ? PathValue<NonNullable<T[Head]>, Rest> : string extends keyof T ? any : never
  : never

/** The paths at whose end a number or bigint lies: what `$inc` may name. */
export type NumericPath<T> = { [P in Path<T>]: Extract<PathValue<T, P>, number | bigint> extends never ? never : P }[Path<T>]

/** The paths at whose end a Date may lie: what `$currentDate` may name. */
export type DatePath<T> = { [P in Path<T>]: Extract<PathValue<T, P>, Date> extends never ? never : P }[Path<T>]

/** What an array's elements are; never where it is none. */
export type ElementOf<V> = IsAny<V> extends true ? any : Extract<NonNullable<V>, readonly unknown[]>[number]

/** The paths at whose end an array lies: what `$push` may name. */
export type ArrayPath<T> = { [P in Path<T>]: [ElementOf<PathValue<T, P>>] extends [never] ? never : P }[Path<T>]

/** What a filter compares at a path: the value itself or, of an array, an element. */
export type Comparable<V> = NonNullable<V> extends readonly (infer Element)[] ? V | Element : V

/** All fields optional, all the way down: what is left of a field of which only parts were asked for. */
export type DeepPartial<T> = T extends Leaf ? T : T extends readonly (infer E)[] ? DeepPartial<E>[] : { [K in keyof T]?: DeepPartial<T[K]> }
