// Seeded damage to a stream: bit flips, dropped, duplicated, reordered and truncated NAL units. For the fuzzer and for concealment tests.

/** Kinds of damage. */
export const MUTATIONS = ['flip', 'burst', 'drop', 'duplicate', 'reorder', 'truncate'] as const;
export type Mutation = (typeof MUTATIONS)[number];

/** Applies one kind of damage to a few NAL units of a list (never in place). Parameter sets are hit rarely, slices mostly. */
export function mutate(
  nalUnits: readonly Uint8Array[],
  mutation: Mutation,
  random: (limit: number) => number,
): Uint8Array[] {
  const out = nalUnits.map((nal) => nal);
  const slices = out.flatMap((nal, i) => ((nal[0] & 31) === 1 || (nal[0] & 31) === 5 ? [i] : []));
  const pick = (): number => (slices.length > 0 && random(8) > 0 ? slices[random(slices.length)] : random(out.length));
  const hits = 1 + random(3);
  for (let hit = 0; hit < hits && out.length > 0; hit++) {
    const at = pick() % out.length;
    const nal = out[at];
    if (mutation === 'flip' || mutation === 'burst') {
      const copy = nal.slice();
      const count = mutation === 'flip' ? 1 + random(4) : 16;
      const start = random(copy.length);
      for (let i = 0; i < count; i++) {
        const byte = mutation === 'flip' ? random(copy.length) : (start + i) % copy.length;
        copy[byte] = copy[byte] ^ (1 << random(8));
      }
      out[at] = copy;
    } else if (mutation === 'drop') {
      out.splice(at, 1);
    } else if (mutation === 'duplicate') {
      out.splice(at, 0, nal);
    } else if (mutation === 'reorder') {
      const other = pick() % out.length;
      out[at] = out[other]!;
      out[other] = nal;
    } else {
      out[at] = nal.subarray(0, 1 + random(nal.length));
    }
  }
  return out;
}
