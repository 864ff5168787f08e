// Writes one elementary stream as NUT for ffmpeg's stdin. Every frame is preceded by a syncpoint, so a frame of any size is legal.
// Called by ffmpeg-decoder.ts (video) and opus-to-aac.ts (audio).

import { FRAME_FLAGS, NUT_FILE_ID, START_CODES, nutChecksum } from './nut-format.ts';

/** The one stream of the file. `fourcc` as ffmpeg knows it: H264, HEVC, AV01, VP90, Opus. */
export type NutStream = {
  readonly fourcc: string;
  readonly description?: Uint8Array;
} & (
  | { readonly kind: 'video'; readonly width: number; readonly height: number; readonly reorderDepth: number }
  | { readonly kind: 'audio'; readonly sampleRate: number; readonly channels: number }
);

const MAX_DISTANCE = 65_536;
const MSB_PTS_SHIFT = 7;
const FRAME_CODE = 1;

/** A growing byte string with NUT's number formats. */
class NutBytes {
  private bytes = new Uint8Array(256);
  private length = 0;

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  u32(value: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) {
      this.byte((value >>> shift) & 0xff);
    }
  }

  /** `v`: seven bits per byte, most significant first, the top bit says that more follow. Up to 2^53. */
  number(value: number): void {
    const groups = [value % 128];
    for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
      groups.push(rest % 128);
    }
    for (let i = groups.length - 1; i >= 0; i--) {
      this.byte((groups[i] ?? 0) | (i > 0 ? 0x80 : 0));
    }
  }

  raw(data: Uint8Array): void {
    this.reserve(data.length);
    this.bytes.set(data, this.length);
    this.length += data.length;
  }

  /** `vb`: a length and that many bytes. */
  string(data: Uint8Array): void {
    this.number(data.length);
    this.raw(data);
  }

  take(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private reserve(count: number): void {
    if (this.length + count > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
  }
}

/** File id, main header and stream header: what comes before the first frame. */
export function writeNutHeader(stream: NutStream): Uint8Array {
  const out = new NutBytes();
  out.raw(new TextEncoder().encode(NUT_FILE_ID));
  writePacket(out, START_CODES.main, mainHeader());
  writePacket(out, START_CODES.stream, streamHeader(stream));
  return out.take();
}

/** One frame with its syncpoint. `ptsUs` must not be negative. */
export function writeNutFrame(data: Uint8Array, ptsUs: number, isKey: boolean): readonly Uint8Array[] {
  const out = new NutBytes();
  const syncpoint = new NutBytes();
  syncpoint.number(ptsUs); // one time base, so its id adds nothing
  syncpoint.number(0); // back_ptr_div16
  writePacket(out, START_CODES.syncpoint, syncpoint.take());

  const header = new NutBytes();
  header.byte(FRAME_CODE);
  // The flags are coded as the difference to those of the frame code, which has only `coded`.
  header.number(FRAME_FLAGS.codedPts | FRAME_FLAGS.sizeMsb | FRAME_FLAGS.checksum | (isKey ? FRAME_FLAGS.key : 0));
  header.number(ptsUs + 2 ** MSB_PTS_SHIFT); // the whole value, not only its low bits
  header.number(data.length);
  const headerBytes = header.take();
  out.raw(headerBytes);
  out.u32(nutChecksum(headerBytes));
  return [out.take(), data];
}

function mainHeader(): Uint8Array {
  const h = new NutBytes();
  h.number(3); // version
  h.number(1); // stream_count
  h.number(MAX_DISTANCE);
  h.number(1); // time_base_count: microseconds
  h.number(1);
  h.number(1_000_000);
  // The table of frame codes, in runs: code 0 is not used, all others say everything in the frame's own header.
  frameCodeRun(h, FRAME_FLAGS.invalid, 1);
  frameCodeRun(h, FRAME_FLAGS.coded, 254); // 254: code 0x4e, the letter N of the start codes, is skipped by rule
  h.number(0); // header_count_minus1
  h.number(0); // main_flags
  return h.take();
}

function frameCodeRun(h: NutBytes, flags: number, count: number): void {
  h.number(flags);
  h.number(6); // fields that follow
  h.number(0); // pts delta (s: 0)
  h.number(1); // size multiplier
  h.number(0); // stream
  h.number(0); // size
  h.number(0); // reserved fields
  h.number(count);
}

function streamHeader(stream: NutStream): Uint8Array {
  const h = new NutBytes();
  h.number(0); // stream_id
  h.number(stream.kind === 'video' ? 0 : 1);
  h.string(new TextEncoder().encode(stream.fourcc));
  h.number(0); // time_base_id
  h.number(MSB_PTS_SHIFT);
  h.number(10_000_000); // max_pts_distance
  h.number(stream.kind === 'video' ? stream.reorderDepth : 0);
  h.number(0); // stream_flags
  h.string(stream.description ?? new Uint8Array(0));
  if (stream.kind === 'video') {
    h.number(stream.width);
    h.number(stream.height);
    h.number(0); // sample aspect: said elsewhere
    h.number(0);
    h.number(0); // colorspace
  } else {
    h.number(stream.sampleRate);
    h.number(1);
    h.number(stream.channels);
  }
  return h.take();
}

function writePacket(out: NutBytes, startCode: readonly [number, number], body: Uint8Array): void {
  const head = new NutBytes();
  head.u32(startCode[0]);
  head.u32(startCode[1]);
  head.number(body.length + 4); // forward_ptr counts the checksum
  const headBytes = head.take();
  out.raw(headBytes);
  if (body.length + 4 > 4096) {
    out.u32(nutChecksum(headBytes));
  }
  out.raw(body);
  out.u32(nutChecksum(body));
}
