// When key pictures are looked at, how much that may cost, and what two that are alike mean.

import { describe, expect, test } from '@jest/globals';
import { KeyPictureDecoder } from '../../../../server/transcode/key-picture-decoder.ts';
import { KeyPictureProbe } from '../../../../server/transcode/key-picture-probe.ts';
import { productionCodecs } from '../../../../server/transcode/production-codecs.ts';
import type { KeyPicture, MeasuredPicture } from '../../../../server/transcode/worker-messages.ts';
import type { TrackSink } from '../../../../server/streams/roles.ts';
import { STREAM, unit, videoConfig } from '../../../support/stream-room.ts';

class Room {
  now = 0;
  skipped = 0;
  isTranscoded = false;
  cpuMs = 10;
  readonly asked: KeyPicture[] = [];
  readonly pictures: MeasuredPicture[] = [];
  moved: number | null = 0.5;
  private sink: TrackSink | null = null;

  constructor(maxShare = 0.1) {
    const probe = new KeyPictureProbe({
      executor: {
        measure: (picture) => {
          this.asked.push(picture);
          const { arrivalTime } = picture.unit;
          const { moved, cpuMs } = this;
          return Promise.resolve({ picture: { luma: 90, spread: 30, moved, sinceMs: 2000, arrivalTime }, cpuMs });
        },
        close: () => undefined,
      },
      maxShare,
      now: () => this.now,
      isTranscoded: () => this.isTranscoded,
      onPicture: (_stream, picture) => this.pictures.push(picture),
      onSkipped: () => this.skipped++,
    });
    probe.watch(STREAM, {
      name: 'source',
      config: videoConfig(),
      encoder: 'publisher',
      attach: (sink) => {
        this.sink = sink;
        sink.onConfig(videoConfig());
        return () => undefined;
      },
      requestKeyframe: () => undefined,
    });
  }

  /** Groups of two seconds at 10 fps. */
  async play(seconds: number, everySeconds = 2): Promise<void> {
    for (let i = 0; i < seconds * 10; i++) {
      const isKey = i % (everySeconds * 10) === 0;
      this.sink?.onUnit(unit(this.now, isKey ? 'key' : 'reference'), 0, false);
      await Promise.resolve();
      await Promise.resolve();
      this.now += 100;
    }
  }
}

describe('key pictures', () => {
  test('are looked at once the stream has lasted three seconds', async () => {
    const room = new Room();
    await room.play(4);
    expect(room.asked).toEqual([]);
    await room.play(10);
    expect(room.asked).toHaveLength(5);
    expect(room.asked.every(({ following }) => following.length === 0)).toBe(true);
    expect(room.pictures.map(({ moved }) => moved)).toEqual([0.5, 0.5, 0.5, 0.5, 0.5]);
  });

  test('that are alike prove nothing by themselves: what follows is looked at, too', async () => {
    const room = new Room();
    room.moved = 0;
    await room.play(8);
    expect(room.asked.map(({ following }) => following.length)).toEqual([0, 7, 7]);
    expect(room.pictures.map(({ moved, sinceMs }) => [moved, sinceMs])).toEqual([
      [null, null],
      [0, 4000],
      [0, 2000],
    ]);
  });

  test('are left out while the source is transcoded, and beyond the share of CPU', async () => {
    const room = new Room(0.001);
    room.isTranscoded = true;
    await room.play(10);
    expect(room.asked).toEqual([]);
    room.isTranscoded = false;
    room.cpuMs = 300;
    await room.play(20);
    expect(room.asked).toHaveLength(1);
    expect(room.skipped).toBe(9);
    const off = new Room(0);
    await off.play(20);
    expect(off.asked).toEqual([]);
  });
});

test('of what cannot be decoded there is no picture, and the next is looked at', () => {
  const decoder = new KeyPictureDecoder({
    codecs: productionCodecs,
    cpuNow: () => 0,
    onPhase: () => undefined,
    decodeBudgetMs: 500,
  });
  for (const description of [
    undefined,
    Uint8Array.of(),
    Uint8Array.of(1, 0x42, 0xc0, 0x1f, 0xff),
    new Uint8Array(40),
  ]) {
    const config = { ...videoConfig(), ...(description === undefined ? {} : { description }) };
    const key = { stream: 's', config, unit: unit(0, 'key'), following: [unit(40)] };
    expect(decoder.measure(key).picture).toBeNull();
  }
});
