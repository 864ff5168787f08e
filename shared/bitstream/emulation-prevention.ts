// Emulation prevention (7.3.1, 7.4.1): inside a NAL unit no 00 00 00, 00 00 01, 00 00 02 may occur, so a 03 is put after two zeros.

/** Copies NAL unit payload bytes without their emulation prevention bytes into `target`; returns the number of bytes stored. */
export function removeEmulationPrevention(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset = 0,
): number {
  let out = offset;
  let from = start;
  // Jump in steps of two: a 03 that matters follows two zeros.
  let i = start + 2;
  while (i < end) {
    const value = source[i];
    if (value > 3) {
      i += 3;
    } else if (value === 3 && source[i - 1] === 0 && source[i - 2] === 0) {
      target.set(source.subarray(from, i), out);
      out += i - from;
      from = i + 1;
      i += 3;
    } else {
      i++;
    }
  }
  if (from < end) {
    target.set(source.subarray(from, end), out);
    out += end - from;
  }
  return out - offset;
}

/** The RBSP of NAL unit payload bytes (the bytes after the NAL unit header), as a new array. */
export function toRbsp(payload: Uint8Array): Uint8Array {
  const target = new Uint8Array(payload.length);
  return target.subarray(0, removeEmulationPrevention(payload, 0, payload.length, target));
}

/** The first place from `at` on that needs a 03 before it: two zeros, which lie at `at` - 2 or later, and a byte up to 3. */
function nextInsertion(rbsp: Uint8Array, at: number): number {
  const { length } = rbsp;
  let i = at;
  while (i < length) {
    if (rbsp[i] > 3) {
      i += 3;
    } else if (rbsp[i - 1] === 0 && rbsp[i - 2] === 0) {
      return i;
    } else {
      i++;
    }
  }
  return i;
}

function countInsertions(rbsp: Uint8Array): number {
  let insertions = 0;
  for (let at = nextInsertion(rbsp, 2); at < rbsp.length; at = nextInsertion(rbsp, at + 2)) {
    insertions++;
  }
  return insertions;
}

/** The RBSP with emulation prevention bytes inserted, as a new array with `prefix` bytes of room before it. */
export function addEmulationPrevention(rbsp: Uint8Array, prefix = 0): Uint8Array {
  const insertions = countInsertions(rbsp);
  const endsWithZero = rbsp.length > 0 && rbsp[rbsp.length - 1] === 0;
  const target = new Uint8Array(prefix + rbsp.length + insertions + (endsWithZero ? 1 : 0));
  let out = prefix;
  let from = 0;
  let at = 2;
  for (let left = insertions; left > 0; left--) {
    at = nextInsertion(rbsp, at);
    target.set(rbsp.subarray(from, at), out);
    out += at - from;
    target[out++] = 3;
    from = at;
    at += 2;
  }
  target.set(rbsp.subarray(from), out);
  if (endsWithZero) {
    // cabac_zero_words: the NAL unit must not end with a zero byte (7.4.1).
    target[target.length - 1] = 3;
  }
  return target;
}
