/** Randomness from a seed: the same seed gives the same numbers everywhere. For choices, never for secrets or ids. */

/** Numbers in [0, 1). */
export type Random = () => number;

/** mulberry32: one 32-bit word of state. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** The numbers below `size` in random order, one at a time: its cost is that of the numbers taken, not of all. */
export function* shuffledIndexes(size: number, random: Random): Generator<number, undefined> {
  // A Fisher-Yates shuffle that remembers only the places it has changed.
  const moved = new Map<number, number>();
  for (let remaining = size; remaining > 0; remaining -= 1) {
    const drawn = Math.floor(random() * remaining);
    const last = remaining - 1;
    const value = moved.get(drawn) ?? drawn;
    moved.set(drawn, moved.get(last) ?? last);
    moved.delete(last);
    yield value;
  }
}
