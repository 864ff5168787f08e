// YUV4MPEG2: header twins, streaming at any chunk size, and one clear error for each kind of damage.
import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  openY4m,
  parseY4mHeader,
  writeY4mFrame,
  writeY4mHeader,
  Y4M_CHROMA,
  Y4mParser,
  type Y4mHeader,
} from '../../../../shared/containers/y4m.ts';
import { ContainerError } from '../../../../shared/errors.ts';
import { i420ByteLength } from '../../../../shared/media/frame.ts';
import { describeWith } from '../../../support/requirements.ts';
import { seededRandom } from '../../../support/random.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const random = seededRandom(5);

const header = fc.record({
  width: fc.integer({ min: 1, max: 16384 }),
  height: fc.integer({ min: 1, max: 16384 }),
  framerate: fc.record({
    numerator: fc.integer({ min: 1, max: 120000 }),
    denominator: fc.integer({ min: 1, max: 1001 }),
  }),
  sampleAspect: fc.tuple(fc.integer({ min: 1, max: 255 }), fc.integer({ min: 1, max: 255 })),
  interlacing: fc.constantFrom('p' as const, 't' as const, 'b' as const, 'm' as const, '?' as const),
  chroma: fc.constantFrom(...Y4M_CHROMA),
});

async function* inChunks(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.subarray(at, at + size));
  }
}

function file(size: { width: number; height: number }, frames: number): { bytes: Uint8Array; planes: Uint8Array[] } {
  const planes = Array.from({ length: frames }, () =>
    Uint8Array.from({ length: i420ByteLength(size.width, size.height) }, () => random(256)),
  );
  const parts = [encode(`YUV4MPEG2 W${size.width} H${size.height} F30000:1001 Ip A1:1 C420jpeg\n`)];
  for (const each of planes) {
    parts.push(encode('FRAME\n'), each);
  }
  return { bytes: Buffer.concat(parts), planes };
}

test('a written header is read back unchanged', () => {
  fc.assert(
    fc.property(header, fc.option(fc.boolean(), { nil: undefined }), (fields, isFullRange) => {
      const written: Y4mHeader = isFullRange === undefined ? fields : { ...fields, isFullRange };
      const line = new TextDecoder().decode(writeY4mHeader(written));
      expect(parseY4mHeader(line.trimEnd())).toEqual(written);
    }),
  );
});

test('what the header leaves out is 25 frames per second, square samples and plain 4:2:0', () => {
  expect(parseY4mHeader('YUV4MPEG2 W3 H5')).toEqual({
    width: 3,
    height: 5,
    framerate: { numerator: 25, denominator: 1 },
    sampleAspect: [1, 1],
    interlacing: '?',
    chroma: '420',
  });
});

test('unknown X parameters are passed over and the colour range is taken', () => {
  const parsed = parseY4mHeader('YUV4MPEG2 W16 H16 F25:1 Ip A0:0 C420mpeg2 XYSCSS=420MPEG2 XCOLORRANGE=FULL');
  expect(parsed.isFullRange).toBe(true);
  expect(parsed.sampleAspect).toEqual([1, 1]);
});

test.each([1, 7, 64, 100000])('pictures of odd size come out of chunks of %i bytes', async (chunk) => {
  const { bytes, planes } = file({ width: 5, height: 3 }, 3);
  const { header: read, frames } = await openY4m(inChunks(bytes, chunk));
  expect(read.framerate).toEqual({ numerator: 30000, denominator: 1001 });
  const timestamps: number[] = [];
  const rewritten: Uint8Array[] = [writeY4mHeader(read)];
  for await (const frame of frames) {
    timestamps.push(frame.timestamp);
    expect([frame.u.width, frame.u.height]).toEqual([3, 2]);
    rewritten.push(writeY4mFrame(frame));
  }
  expect(timestamps).toEqual([0, 33367, 66733]);
  expect(Buffer.concat(rewritten).equals(Buffer.concat([bytes]))).toBe(true);
  expect(planes).toHaveLength(3);
});

test.each([
  ['RIFF....\n', 'does not start with YUV4MPEG2'],
  ['YUV4MPEG2 H2 F25:1\n', 'a width ""'],
  ['YUV4MPEG2 W0 H2\n', 'a width "0"'],
  ['YUV4MPEG2 W99999 H2\n', 'a width "99999"'],
  ['YUV4MPEG2 W2 H2 F30:0\n', 'a frame rate "30:0"'],
  ['YUV4MPEG2 W2 H2 F-1:1\n', 'a frame rate "-1"'],
  ['YUV4MPEG2 W2 H2 C444\n', 'sampling C444'],
  ['YUV4MPEG2 W2 H2 C420p10\n', 'sampling C420p10'],
  ['YUV4MPEG2 W2 H2 Iq\n', 'interlacing "Iq"'],
  [`YUV4MPEG2 ${'X'.repeat(1100)}`, 'longer than 1024'],
  ['YUV4MPEG2 W2 H2\nFRAM\n', 'where a FRAME line must be'],
  [`YUV4MPEG2 W2 H2\nFRAME ${'I'.repeat(1100)}`, 'longer than 1024'],
])('the file %j is refused', (text, words) => {
  const parser = new Y4mParser(() => undefined);
  expect(() => parser.push(encode(text))).toThrow(ContainerError);
  expect(() => parser.push(encode('\n'))).toThrow(ContainerError);
  expect(() => new Y4mParser(() => undefined).push(encode(text))).toThrow(words);
});

test('a file that ends too early says where', () => {
  const { bytes } = file({ width: 4, height: 4 }, 1);
  for (const [end, words] of [
    [0, 'before its header'],
    [20, 'before its header'],
    [bytes.length - 1, 'inside a picture'],
  ] as const) {
    const parser = new Y4mParser(() => undefined);
    parser.push(bytes.subarray(0, end));
    expect(() => parser.end()).toThrow(words);
  }
});

test('an empty stream is a file without header', async () => {
  await expect(openY4m(inChunks(new Uint8Array(0), 1))).rejects.toThrow('before its header');
});

describeWith(['ffmpeg'], 'y4m beside ffmpeg', () => {
  test('what ffmpeg writes is read, and what we write is read by ffmpeg', async () => {
    const source = ['-f', 'lavfi', '-i', 'testsrc=size=38x22:rate=25', '-frames:v', '3', '-pix_fmt', 'yuv420p'];
    const run = (args: string[], input?: Uint8Array) =>
      spawnSync('ffmpeg', ['-v', 'error', ...args], { ...(input && { input }), maxBuffer: 1 << 24 }).stdout;
    const original = run([...source, '-f', 'yuv4mpegpipe', '-']);
    const parts: Uint8Array[] = [];
    const { header: read, frames } = await openY4m(inChunks(original, 1000));
    parts.push(writeY4mHeader(read));
    for await (const frame of frames) {
      parts.push(writeY4mFrame(frame));
    }
    const toRaw = (y4m: Uint8Array) => run(['-f', 'yuv4mpegpipe', '-i', '-', '-f', 'rawvideo', '-'], y4m);
    const raw = toRaw(Buffer.concat(parts));
    expect(raw.length).toBe(3 * i420ByteLength(38, 22));
    expect(raw.equals(toRaw(original))).toBe(true);
  });
});
