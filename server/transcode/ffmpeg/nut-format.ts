// The NUT container as ffmpeg reads and writes it on a pipe: variable-length numbers, packet start codes, frame flags, CRC.
// It is what we speak with an ffmpeg child, because it carries microsecond timestamps and any codec through stdin and stdout
// without seeking and without a frame of delay. Used by nut-writer.ts and nut-reader.ts.

/** Text at the start of every NUT file, with its terminating zero. */
export const NUT_FILE_ID = 'nut/multimedia container\0';

/** Second half of each 64-bit start code; the first half begins with `N` and the packet's letter. */
export const START_CODES = {
  main: [0x4e4d7a56, 0x1f5f04ad],
  stream: [0x4e531140, 0x5bf2f9db],
  syncpoint: [0x4e4be4ad, 0xeeca4569],
  index: [0x4e58dd67, 0x2f23e64e],
  information: [0x4e49ab68, 0xb596ba78],
} as const;

/** Flags of a frame, from the table of the main header or coded with the frame. */
export const FRAME_FLAGS = {
  key: 1,
  endOfRelevance: 2,
  codedPts: 8,
  streamId: 16,
  sizeMsb: 32,
  checksum: 64,
  reserved: 128,
  sideData: 256,
  headerIndex: 1024,
  matchTime: 2048,
  coded: 4096,
  invalid: 8192,
} as const;

const CRC_TABLE = new Uint32Array(256);
for (let i = 0; i < 256; i++) {
  let crc = i << 24;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  CRC_TABLE[i] = crc >>> 0;
}

/** NUT's checksum: CRC-32 of polynomial 0x04C11DB7, most significant bit first, starting at 0, not inverted. */
export function nutChecksum(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0;
  for (let i = start; i < end; i++) {
    crc = (crc << 8) ^ (CRC_TABLE[((crc >>> 24) ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  }
  return crc >>> 0;
}
