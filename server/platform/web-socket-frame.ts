// Frames of RFC 6455 as a server sends them (final, unmasked), so that one frame is laid out once and written to many sockets.

const OPCODE_TEXT = 1;
export const OPCODE_BINARY = 2;

/** The 2, 4 or 10 bytes before a payload of `length` bytes (RFC 6455, 5.2). */
export function webSocketHeader(opcode: number, length: number): Buffer {
  if (length < 126) {
    return Buffer.of(0x80 | opcode, length);
  }
  if (length < 0x1_0000) {
    return Buffer.of(0x80 | opcode, 126, length >> 8, length & 0xff);
  }
  const header = Buffer.alloc(10);
  header[0] = 0x80 | opcode;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}

/** A whole text frame. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([webSocketHeader(OPCODE_TEXT, payload.length), payload]);
}
