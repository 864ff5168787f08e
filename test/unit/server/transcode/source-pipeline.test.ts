// Queueing, dropping and grouping of the worker's pipeline, with a codec that only counts: a decoder that shows each unit at once, an
// encoder that says key or delta.

import { describe, expect, test } from '@jest/globals';
import type { CodecSet } from '../../../../server/transcode/codec-set.ts';
import { SourcePipeline, type PipelineHost } from '../../../../server/transcode/source-pipeline.ts';
import type { MeasuredPicture, SourceStart } from '../../../../server/transcode/worker-messages.ts';
import type { DecoderInit } from '../../../../shared/codec/h264/codec-types.ts';
import type { AccessUnit, Priority, VideoTrackConfig } from '../../../../shared/media/access-unit.ts';
import { UNSPECIFIED_COLOUR } from '../../../../shared/media/colour.ts';
import { i420ByteLength, packedI420 } from '../../../../shared/media/frame.ts';
import { microseconds } from '../../../../shared/media/time.ts';

const SIZE = { width: 32, height: 16 };
const SOURCE: VideoTrackConfig = {
  kind: 'video',
  codec: 'avc1.42c00a',
  ...SIZE,
  sampleAspect: [1, 1],
  colour: UNSPECIFIED_COLOUR,
  fps: 30,
};

class Room {
  now = 1000;
  newest = 0;
  readonly log: string[] = [];
  readonly dropped: string[] = [];
  readonly pictures: MeasuredPicture[] = [];
  readonly unsupported: string[] = [];
  readonly encoderSizes: string[] = [];
  openFrames = 0;
  openEncoders = 0;
  decoder: DecoderInit | null = null;
  decoderError: string | null = null;
  readonly pipeline: SourcePipeline;

  constructor(start: SourceStart = { config: SOURCE, decoder: { kind: 'tessera' } }) {
    this.pipeline = new SourcePipeline(start, this.host());
  }

  private codecs(): CodecSet {
    return {
      createDecoder: (init) => {
        this.decoder = init;
        return {
          decode: ({ timestamp }) => {
            if (this.decoderError !== null) {
              init.error({ code: this.decoderError, accessUnit: 0, nal: 0, bitOffset: 0 });
              return;
            }
            this.openFrames++;
            const picture = packedI420(new Uint8Array(i420ByteLength(SIZE.width, SIZE.height)), SIZE, {
              timestamp,
              colour: UNSPECIFIED_COLOUR,
            });
            init.output({
              ...picture,
              close: () => {
                this.openFrames--;
              },
            });
          },
          flush: () => undefined,
          close: () => undefined,
        };
      },
      createEncoder: (init, { width, height }) => {
        this.openEncoders++;
        this.encoderSizes.push(`${width}x${height}`);
        let isFirst = true;
        return {
          encode: (frame, options) => {
            const metadata = { temporalLayer: 0, isReference: true, qp: 30, bits: 8 };
            const isKey = isFirst || options?.keyFrame === true;
            init.output(
              { type: isKey ? 'key' : 'delta', timestamp: frame.timestamp, data: Uint8Array.of(1) },
              isFirst ? { ...metadata, description: Uint8Array.of(1, 0x42, 0xc0, 0x0a) } : metadata,
            );
            isFirst = false;
          },
          close: () => {
            this.openEncoders--;
          },
        };
      },
      createScaler: ({ width, height }) => ({ scale: (frame) => ({ ...frame, width, height }) }),
    };
  }

  private host(): PipelineHost {
    return {
      codecs: this.codecs(),
      lanes: [],
      events: {
        onConfig: (name, config) =>
          void this.log.push(`${name} config ${config.codec} ${config.width}x${config.height}`),
        onUnit: (name, unit) =>
          void this.log.push(`${name} ${unit.pts / 1000}${unit.priority === 'key' ? ' key' : ''}`),
        onPicture: (picture) => void this.pictures.push(picture),
        onDropped: (reason) => void this.dropped.push(reason),
        onCost: () => undefined,
        onUnsupported: (sentence) => void this.unsupported.push(sentence),
        onDecoderDied: () => undefined,
      },
      now: () => this.now,
      cpuNow: () => this.now,
      newestIndex: () => this.newest,
      onPhase: () => undefined,
      decodeBudgetMs: 500,
      lateMs: 200,
    };
  }

  add(name: string, size = SIZE, fps = 30): void {
    this.pipeline.addRendition({ name, ...size, fps, kbps: 100 });
  }

  push(ms: number, options: { key?: boolean; catchUp?: boolean; ageMs?: number; data?: Uint8Array } = {}): void {
    const priority: Priority = options.key === true ? 'key' : 'reference';
    const time = microseconds(ms * 1000);
    const unit: AccessUnit = {
      priority,
      pts: time,
      dts: time,
      data: options.data ?? Uint8Array.of(0),
      arrivalTime: time,
    };
    const queuedAt = this.now - (options.ageMs ?? 0);
    this.newest++;
    const isBehind = (options.ageMs ?? 0) > 0;
    this.pipeline.push({
      unit,
      isCatchUp: options.catchUp === true,
      queuedAt,
      index: this.newest - (isBehind ? 1 : 0),
    });
  }

  units(name: string): string[] {
    return this.log
      .filter((line) => line.startsWith(`${name} `) && !line.includes('config'))
      .map((line) => line.slice(name.length + 1));
  }
}

describe('groups', () => {
  test('start at each key picture of the source, in every rendition at the same picture', () => {
    const room = new Room();
    room.add('a');
    room.add('b', { width: 16, height: 8 });
    for (const ms of [0, 33, 66]) {
      room.push(ms, { key: ms === 0 });
    }
    room.push(100, { key: true });
    room.push(133);
    expect(room.units('a')).toEqual(['0 key', '33', '66', '100 key', '133']);
    expect(room.units('b')).toEqual(room.units('a'));
    expect(room.encoderSizes).toEqual(['32x16', '16x8']);
  });

  test('are opened by us every two seconds where the source never sends a key picture again', () => {
    const room = new Room();
    room.add('a');
    for (let frame = 0; frame < 130; frame++) {
      room.push(frame * 40, { key: frame === 0 });
    }
    expect(room.units('a').filter((line) => line.endsWith('key'))).toEqual(['0 key', '2000 key', '4000 key']);
  });

  test('follow the source where its groups are up to four seconds long', () => {
    const room = new Room();
    room.add('a');
    for (let frame = 0; frame < 250; frame++) {
      room.push(frame * 40, { key: frame % 75 === 0 });
    }
    const keys = room.units('a').filter((line) => line.endsWith('key'));
    expect(keys).toEqual(['0 key', '2000 key', '3000 key', '6000 key', '9000 key']);
  });

  test('start with the first picture after the key picture when that one came too late', () => {
    const room = new Room();
    room.add('a');
    room.push(0, { key: true });
    room.push(33);
    room.push(66, { key: true, ageMs: 900 });
    room.push(100);
    expect(room.units('a')).toEqual(['0 key', '33', '100 key']);
    expect(room.dropped).toEqual(['late']);
  });

  test('of a rendition that joins begin at once with an IDR picture, and the others go on', () => {
    const room = new Room();
    room.add('a');
    room.push(0, { key: true });
    room.add('b');
    room.push(33);
    room.push(66);
    expect(room.units('a')).toEqual(['0 key', '33', '66']);
    expect(room.units('b')).toEqual(['33 key', '66']);
  });
});

describe('key frame requests', () => {
  test('are granted once per two seconds, and only to the rendition that asked', () => {
    const room = new Room();
    room.add('a');
    room.add('b');
    for (let frame = 0; frame < 140; frame++) {
      room.pipeline.requestKeyframe('a');
      room.push(frame * 33, { key: frame % 100 === 0 });
    }
    const keys = (name: string): number[] =>
      room
        .units(name)
        .filter((line) => line.endsWith('key'))
        .map((line) => Number(line.split(' ')[0]));
    expect(keys('b')).toEqual([0, 2013, 3300]);
    const times = keys('a');
    times.forEach((time, i) => {
      const isAligned = keys('b').includes(time);
      expect(i === 0 || isAligned || time - times[i - 1] >= 2000).toBe(true);
    });
  });
});

describe('pictures', () => {
  test('of the cached group are decoded and not encoded, up to the last one', () => {
    const room = new Room();
    room.add('a');
    room.push(0, { key: true, catchUp: true });
    room.push(33, { catchUp: true });
    room.push(66);
    room.push(100);
    expect(room.units('a')).toEqual(['66 key', '100']);
    expect(room.dropped).toEqual([]);
  });

  test('that are late are dropped whole and counted while newer ones wait, never the newest', () => {
    const room = new Room();
    room.add('a');
    room.push(0, { key: true });
    room.push(33, { ageMs: 300 });
    room.push(66, { ageMs: 300 });
    room.newest = 2;
    room.push(100);
    expect(room.units('a')).toEqual(['0 key', '100']);
    expect(room.dropped).toEqual(['late', 'late']);
  });

  test('still come twice a second when all of them are late', () => {
    const room = new Room();
    room.add('a');
    room.push(0, { key: true });
    for (let frame = 1; frame < 60; frame++) {
      room.push(frame * 40, { ageMs: 5000 });
    }
    expect(room.units('a')).toEqual(['0 key', '520', '1040', '1560', '2080 key']);
  });

  test('are thinned out to the frame rate of the rendition, evenly', () => {
    const room = new Room();
    room.add('full');
    room.add('half', SIZE, 15);
    for (let frame = 0; frame < 60; frame++) {
      room.push(Math.round((frame * 1000) / 30), { key: frame === 0 });
    }
    expect(room.units('full')).toHaveLength(60);
    const half = room.units('half').map((line) => Number(line.split(' ')[0]));
    expect(half.length).toBeGreaterThanOrEqual(29);
    expect(half.length).toBeLessThanOrEqual(34);
    const steps = half.slice(10).map((time, i) => time - half[9 + i]);
    expect(Math.max(...steps)).toBeLessThanOrEqual(68);
  });

  test('are given back to the decoder, encoded or not', () => {
    const room = new Room();
    room.add('a');
    room.push(0, { key: true });
    room.push(33, { ageMs: 900 });
    room.push(66, { catchUp: true });
    expect(room.openFrames).toBe(0);
  });
});

describe('the source', () => {
  test('waits for its first key unit', () => {
    const room = new Room();
    room.add('a');
    room.push(0);
    room.push(33, { key: true });
    expect(room.units('a')).toEqual(['33 key']);
    expect(room.dropped).toEqual(['decoder']);
  });

  test('may start over: renditions go on with a key picture and keep their encoders', () => {
    const room = new Room();
    room.add('a');
    room.push(0, { key: true });
    room.push(33);
    room.pipeline.setSource({ config: SOURCE, decoder: { kind: 'tessera' } });
    room.add('a');
    room.push(5000, { key: true });
    expect(room.units('a')).toEqual(['0 key', '33', '5000 key']);
    expect(room.openEncoders).toBe(1);
  });

  test('is reported once when our decoder lacks a feature that it uses', () => {
    const room = new Room();
    room.decoderError = 'unsupported';
    room.push(0, { key: true });
    room.push(33);
    expect(room.unsupported).toHaveLength(1);
    expect(room.unsupported[0]).toMatch(/avc1\.42c00a/);
  });

  test('of raw pictures is encoded as it is; a short picture is dropped', () => {
    const room = new Room({ config: { ...SOURCE, codec: 'raw/i420' }, decoder: { kind: 'raw' } });
    room.add('source');
    const picture = new Uint8Array(i420ByteLength(SIZE.width, SIZE.height));
    room.push(0, { key: true, data: picture });
    room.push(33, { key: true, data: picture.subarray(1) });
    room.push(66, { key: true, data: picture });
    expect(room.units('source')).toEqual(['0 key', '66']);
    expect(room.dropped).toEqual(['decoder']);
  });

  test('leaves no encoder behind', () => {
    const room = new Room();
    room.add('a');
    room.add('b');
    room.push(0, { key: true });
    room.pipeline.removeRendition('b');
    expect(room.openEncoders).toBe(1);
    void room.pipeline.close();
    expect(room.openEncoders).toBe(0);
  });
});
