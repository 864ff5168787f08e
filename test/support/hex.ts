// Bytes written so that they can be read against the standard.

/** Bytes from hexadecimal text; spaces are free. */
export function hex(...parts: readonly string[]): Uint8Array<ArrayBuffer> {
  const digits = parts.join('').replaceAll(' ', '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** Arrays one after the other. */
export function concat(...arrays: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    bytes.set(array, at);
    at += array.length;
  }
  return bytes;
}
