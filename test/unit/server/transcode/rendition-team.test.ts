// How renditions are spread over threads and come together again, with a codec that only counts and a lane that is no thread.

import { describe, expect, test } from '@jest/globals';
import type { CodecSet } from '../../../../server/transcode/codec-set.ts';
import type { LaneListener, RenditionLane } from '../../../../server/transcode/rendition-lane.ts';
import { RenditionTeam } from '../../../../server/transcode/rendition-team.ts';
import { UNSPECIFIED_COLOUR } from '../../../../shared/media/colour.ts';
import { i420ByteLength, type I420Frame, packedI420 } from '../../../../shared/media/frame.ts';
import { microseconds } from '../../../../shared/media/time.ts';

const SOURCE = { width: 64, height: 32 };
const LADDER = {
  high: { name: 'high', width: 64, height: 32, fps: 30, kbps: 300 },
  middle: { name: 'middle', width: 32, height: 16, fps: 30, kbps: 200 },
  low: { name: 'low', width: 16, height: 16, fps: 30, kbps: 100 },
} as const;

type RenditionName = keyof typeof LADDER;

/** Says what it is told, and what a thread would send back. */
class FakeLane implements RenditionLane {
  isReady = true;
  failure: string | null = null;
  readonly names = new Set<string>();
  private readonly log: string[];
  private readonly name: string;

  constructor(name: string, log: string[]) {
    this.name = name;
    this.log = log;
  }

  add({ name }: { readonly name: string }): void {
    this.names.add(name);
  }

  remove(name: string): void {
    this.names.delete(name);
  }

  requestKeyframe(name: string): void {
    this.log.push(`${this.name} key ${name}`);
  }

  begin(): void {
    this.log.push(`${this.name} begins`);
  }

  finish(listener: LaneListener): void {
    this.log.push(`${this.name} ends`);
    if (this.failure !== null) {
      throw new Error(this.failure);
    }
    for (const name of this.names) {
      const { width, height } = LADDER[name as RenditionName];
      listener({ kind: 'cost', width, height, ms: 7 });
    }
  }
}

class Room {
  readonly log: string[] = [];
  readonly costs: string[] = [];
  readonly lanes: readonly FakeLane[];
  readonly team: RenditionTeam;
  private cpuMs = 0;

  constructor(lanes: number) {
    this.lanes = Array.from({ length: lanes }, (_, i) => new FakeLane(`lane${i}`, this.log));
    this.team = new RenditionTeam({
      codecs: this.codecs(),
      lanes: this.lanes,
      now: () => 0,
      cpuNow: () => this.cpuMs,
      onConfig: () => undefined,
      onUnit: (name) => void this.log.push(`own ${name}`),
      onCost: ({ width, height }, ms) => void this.costs.push(`${width}x${height} ${ms}`),
    });
  }

  add(...names: readonly RenditionName[]): void {
    for (const name of names) {
      this.team.add(LADDER[name]);
    }
  }

  encode(): number {
    return this.team.encode(picture(), { times: { arrivalTime: microseconds(0) }, startsGroup: true, sourceFps: 30 });
  }

  private codecs(): CodecSet {
    return {
      createDecoder: () => {
        throw new Error('There is nothing to decode here.');
      },
      createEncoder: (init) => ({
        encode: ({ timestamp }) => {
          this.cpuMs += 5;
          const metadata = { temporalLayer: 0, isReference: true, qp: 30, bits: 8 };
          init.output({ type: 'key', timestamp, data: Uint8Array.of(1) }, metadata);
        },
        close: () => undefined,
      }),
      createScaler: ({ width, height }) => ({ scale: (frame) => ({ ...frame, width, height }) }),
    };
  }
}

function picture(): I420Frame {
  const bytes = new Uint8Array(i420ByteLength(SOURCE.width, SOURCE.height));
  return packedI420(bytes, SOURCE, { timestamp: microseconds(0), colour: UNSPECIFIED_COLOUR });
}

describe('renditions', () => {
  test('all stay with the worker where there is no lane, or none that has come up', () => {
    const alone = new Room(0);
    alone.add('high', 'low');
    alone.encode();
    expect(alone.log).toEqual(['own high', 'own low']);
    const early = new Room(1);
    early.lanes[0].isReady = false;
    early.add('high', 'low');
    early.lanes[0].isReady = true;
    early.encode();
    expect(early.log).toEqual(['own high', 'own low']);
  });

  test('go where there is least to encode', () => {
    const one = new Room(1);
    one.add('high', 'middle', 'low');
    expect([...one.lanes[0].names]).toEqual(['middle', 'low']);
    const two = new Room(2);
    two.add('high', 'middle', 'low');
    expect(two.lanes.map(({ names }) => [...names])).toEqual([['middle'], ['low']]);
  });

  test('leave their place to the next', () => {
    const room = new Room(1);
    room.add('high', 'middle');
    room.team.remove('middle');
    expect(room.lanes[0].names.size).toBe(0);
    room.add('low');
    expect([...room.lanes[0].names]).toEqual(['low']);
  });

  test('that are added again go on where they are', () => {
    const room = new Room(1);
    room.add('high', 'middle', 'high', 'middle');
    room.encode();
    expect(room.log.filter((line) => line === 'own high')).toHaveLength(1);
    expect([...room.lanes[0].names]).toEqual(['middle']);
  });

  test('get their requests for key frames wherever they are', () => {
    const room = new Room(1);
    room.add('high', 'middle');
    room.team.requestKeyframe('middle');
    room.team.requestKeyframe('high');
    room.team.requestKeyframe('unknown');
    expect(room.log).toEqual(['lane0 key middle']);
  });
});

describe('a picture', () => {
  test('is encoded by the lanes while the worker encodes, and all are done before the next', () => {
    const room = new Room(2);
    room.add('high', 'middle', 'low');
    room.encode();
    expect(room.log).toEqual(['lane0 begins', 'lane1 begins', 'own high', 'lane0 ends', 'lane1 ends']);
  });

  test('does not wake a lane that has no rendition', () => {
    const room = new Room(2);
    room.add('high', 'middle');
    room.encode();
    expect(room.log).toEqual(['lane0 begins', 'own high', 'lane0 ends']);
  });

  test('costs the worker what it encoded itself, and is told with the cost of every rendition', () => {
    const room = new Room(1);
    room.add('high', 'middle', 'low');
    expect(room.encode()).toBe(5);
    expect(room.costs).toEqual(['64x32 5', '32x16 7', '16x16 7']);
  });

  test('that a lane cannot encode ends the worker', () => {
    const room = new Room(1);
    room.add('high', 'middle');
    room.lanes[0].failure = 'the thread that encodes a rendition ended';
    expect(() => room.encode()).toThrow('the thread that encodes a rendition ended');
  });
});
