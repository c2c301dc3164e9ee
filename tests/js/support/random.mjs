// Chance that can be replayed: a seed from SEED or the clock, printed when a test fails.

export const seed = Number(globalThis.process?.env.SEED ?? Date.now() % 1_000_000)

/** mulberry32: https://github.com/cprosche/mulberry32 (public domain). Numbers in [0, 1). */
export function generator(state = seed) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
