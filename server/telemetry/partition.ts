// Which partition a key belongs to: murmur2 with Kafka's seed, as Java producers do it, so that every client agrees.

const M = 0x5bd1e995;
const R = 24;
const SEED = 0x9747b28c;

/** Kafka's 32-bit murmur2 of UTF-8 text. */
export function murmur2(text: string): number {
  const bytes = Buffer.from(text, 'utf8');
  const words = bytes.length >> 2;
  let hash = SEED ^ bytes.length;
  for (let i = 0; i < words; i++) {
    let word = Math.imul(bytes.readInt32LE(i * 4), M);
    word ^= word >>> R;
    hash = Math.imul(hash, M) ^ Math.imul(word, M);
  }
  const rest = bytes.length & 3;
  if (rest > 0) {
    for (let i = rest - 1; i >= 0; i--) {
      hash ^= bytes.readUInt8(words * 4 + i) << (8 * i);
    }
    hash = Math.imul(hash, M);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}

/** The partition of a key, 0 .. partitions - 1. */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(key) & 0x7fffffff) % partitions;
}
