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

/** The RBSP with emulation prevention bytes inserted, as a new array with `prefix` bytes of room before it. */
export function addEmulationPrevention(rbsp: Uint8Array, prefix = 0): Uint8Array {
  let insertions = 0;
  let zeros = 0;
  for (const byte of rbsp) {
    if (zeros === 2 && byte <= 3) {
      insertions++;
      zeros = 0;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  const endsWithZero = rbsp.length > 0 && rbsp[rbsp.length - 1] === 0;
  const target = new Uint8Array(prefix + rbsp.length + insertions + (endsWithZero ? 1 : 0));
  if (insertions === 0) {
    target.set(rbsp, prefix);
  } else {
    let out = prefix;
    zeros = 0;
    for (const byte of rbsp) {
      if (zeros === 2 && byte <= 3) {
        target[out++] = 3;
        zeros = 0;
      }
      zeros = byte === 0 ? zeros + 1 : 0;
      target[out++] = byte;
    }
  }
  if (endsWithZero) {
    // cabac_zero_words: the NAL unit must not end with a zero byte (7.4.1).
    target[target.length - 1] = 3;
  }
  return target;
}
