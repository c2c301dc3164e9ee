// The tag bytes of values on the boundary.
//
// Not more than the numbers: `encoder.ts` writes what follows them, `decoder.ts` reads it.
// Invariant: equal to the tags of `src/value/codec.rs`.

/** The first byte of every value. */
export const Tag = {
  Null: 0, False: 1, True: 2, Number: 3, Integer: 4, BigInt: 5, String: 6, Date: 7, Bytes: 8, Array: 9, Object: 10,
} as const
