// The tag bytes of values on the boundary.
//
// Not more than the numbers: `encoder.ts` writes what follows them, `decoder.ts` reads it.
// Invariant: equal to the tags of `src/value/codec.rs` and the kinds of `src/value/table.rs`.

/** The first byte of every value. */
export const Tag = {
  Null: 0, False: 1, True: 2, Number: 3, Integer: 4, BigInt: 5, String: 6, Date: 7, Bytes: 8, Array: 9, Object: 10, Table: 11,
} as const

/** The first byte of every column of a table. */
export const Kind = {
  Nulls: 0, Bools: 1, Numbers: 2, Dates: 3, BigInts: 4, Texts: 5, Words: 6, Bytes: 7, Lists: 8, Objects: 9, Mixed: 10,
} as const
