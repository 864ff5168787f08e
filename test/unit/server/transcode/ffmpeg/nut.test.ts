import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NutReader, type NutFrame, type NutStreamHeader } from '../../../../../server/transcode/ffmpeg/nut-reader.ts';
import { nutChecksum } from '../../../../../server/transcode/ffmpeg/nut-format.ts';
import { writeNutFrame, writeNutHeader, type NutStream } from '../../../../../server/transcode/ffmpeg/nut-writer.ts';
import { ContainerError } from '../../../../../shared/errors.ts';

const VIDEO: NutStream = {
  kind: 'video',
  fourcc: 'H264',
  description: Uint8Array.of(1, 2, 3),
  width: 1280,
  height: 720,
  reorderDepth: 2,
};

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function read(
  bytes: Uint8Array,
  chunkSize = bytes.length,
  maxFrameBytes = 1 << 20,
): { streams: NutStreamHeader[]; frames: NutFrame[] } {
  const streams: NutStreamHeader[] = [];
  const frames: NutFrame[] = [];
  const events = {
    onStream: (header: NutStreamHeader): void => void streams.push(header),
    onFrame: (frame: NutFrame): void => void frames.push(frame),
  };
  const reader = new NutReader(events, maxFrameBytes);
  for (let at = 0; at < bytes.length; at += chunkSize) {
    reader.push(bytes.subarray(at, at + chunkSize));
  }
  return { streams, frames };
}

test('the checksum is the one that ffmpeg 5.1 writes behind a main header', () => {
  const mainHeader =
    '030181ff7f010182f700c00006000000000001a000020101280100290021019f1f2002' +
    '9f1f8179c00006000000000001060300000104000001b602fffa02fffb02fffc02fffd';
  expect(nutChecksum(new Uint8Array(Buffer.from(mainHeader, 'hex')))).toBe(0xeede9c74);
});

describe('what the writer writes', () => {
  test('the reader reads back: stream, times, key flags, bytes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            data: fc.uint8Array({ minLength: 0, maxLength: 9000 }),
            ptsUs: fc.integer({ min: 0, max: 2 ** 45 }),
            isKey: fc.boolean(),
          }),
          { maxLength: 8 },
        ),
        fc.integer({ min: 1, max: 5000 }),
        (frames, chunkSize) => {
          const bytes = join([
            writeNutHeader(VIDEO),
            ...frames.flatMap(({ data, ptsUs, isKey }) => writeNutFrame(data, ptsUs, isKey)),
          ]);
          const back = read(bytes, chunkSize);
          expect(back.streams).toHaveLength(1);
          expect(back.streams[0]).toMatchObject({
            kind: 'video',
            fourcc: 'H264',
            width: 1280,
            height: 720,
            reorderDepth: 2,
          });
          expect([...back.streams[0].description]).toEqual([1, 2, 3]);
          expect(back.frames.map(({ ptsUs, isKey, data }) => ({ ptsUs, isKey, data: [...data] }))).toEqual(
            frames.map(({ ptsUs, isKey, data }) => ({ ptsUs, isKey, data: [...data] })),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test('describes an audio stream by its rate and channels', () => {
    const { streams } = read(writeNutHeader({ kind: 'audio', fourcc: 'Opus', sampleRate: 48_000, channels: 2 }));
    expect(streams[0]).toMatchObject({ kind: 'audio', fourcc: 'Opus', sampleRate: 48_000, channels: 2 });
  });
});

describe('bytes that are not NUT', () => {
  test('are refused at the file id', () => {
    expect(() => read(new Uint8Array(64))).toThrow(ContainerError);
  });

  test('are refused when a frame is longer than allowed', () => {
    const bytes = join([writeNutHeader(VIDEO), ...writeNutFrame(new Uint8Array(5000), 0, true)]);
    expect(() => read(bytes, bytes.length, 4096)).toThrow('A NUT frame of 5000 bytes is too long.');
  });

  test('never hang and throw nothing but ContainerError when they are damaged', () => {
    const good = join([writeNutHeader(VIDEO), ...writeNutFrame(new Uint8Array(100), 40_000, true)]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bad = good.slice();
        bad[at] = bad[at] ^ change;
        try {
          read(bad, 50, 1 << 16);
        } catch (error) {
          expect(error).toBeInstanceOf(ContainerError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
