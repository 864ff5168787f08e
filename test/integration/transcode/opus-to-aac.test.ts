// The AAC twin of an Opus track: shared, only while somebody listens, in time with the original, back after its child was killed.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { silentLogger } from '../../../server/platform/logger.ts';
import type { StreamTrack, TrackSink } from '../../../server/streams/roles.ts';
import { importFile } from '../../../server/transcode/ffmpeg/import-file.ts';
import { OpusToAac } from '../../../server/transcode/ffmpeg/opus-to-aac.ts';
import type { AccessUnit, TrackConfig } from '../../../shared/media/access-unit.ts';
import { ffmpeg, temporaryFolder } from '../../support/ffmpeg-clips.ts';
import { describeWith } from '../../support/requirements.ts';
import { eventually } from '../../support/eventually.ts';

/** A track that a test pushes units into. */
class HandTrack implements StreamTrack {
  readonly name = 'audio';
  readonly encoder = 'publisher';
  readonly config: TrackConfig;
  readonly sinks = new Set<TrackSink>();
  constructor(config: TrackConfig) {
    this.config = config;
  }
  attach(sink: TrackSink): () => void {
    this.sinks.add(sink);
    sink.onConfig(this.config);
    return () => this.sinks.delete(sink);
  }
  requestKeyframe(): void {
    return;
  }
  push(unit: AccessUnit): void {
    for (const sink of this.sinks) {
      sink.onUnit(unit, 0, false);
    }
  }
}

class Listener implements TrackSink {
  readonly configs: TrackConfig[] = [];
  readonly units: AccessUnit[] = [];
  onConfig(config: TrackConfig): void {
    this.configs.push(config);
  }
  onUnit(unit: AccessUnit): void {
    this.units.push(unit);
  }
  onEnd(): void {
    return;
  }
}

const children = (): string[] =>
  spawnSync('pgrep', ['-P', String(process.pid), '-x', 'ffmpeg'])
    .stdout.toString()
    .split('\n')
    .filter(Boolean);

describeWith(['ffmpeg'], 'OpusToAac', () => {
  const folder = temporaryFolder('aac');
  afterAll(() => {
    folder.remove();
  });

  async function opus(seconds: number): Promise<{ track: HandTrack; units: AccessUnit[] }> {
    const path = join(folder.path, `tone-${seconds}.mkv`);
    ffmpeg(['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`, '-c:a', 'libopus', path]);
    const units: AccessUnit[] = [];
    let track: HandTrack | null = null;
    for await (const event of importFile(path)) {
      if (event.kind === 'track') {
        track = new HandTrack(event.config);
      } else {
        units.push(event.unit);
      }
    }
    return { track: track!, units };
  }

  test('makes one AAC stream for all listeners, in time with the Opus, and ends with the last of them', async () => {
    const { track, units } = await opus(2);
    const provider = new OpusToAac(silentLogger);
    const twin = provider.aacOf(track) as StreamTrack;
    expect(provider.aacOf(track)).toBe(twin);
    expect(children()).toEqual([]);
    const [one, other] = [new Listener(), new Listener()];
    const detachOne = twin.attach(one);
    const detachOther = twin.attach(other);
    for (const unit of units) {
      track.push(unit);
    }
    const enough = Math.floor((2 * 48_000) / 1024) - 6; // the last frames wait for more input
    await eventually('AAC of the whole clip', () => one.units.length >= enough);
    expect(children()).toHaveLength(1);
    expect(one.configs[0]).toMatchObject({ kind: 'audio', codec: 'mp4a.40.2', sampleRate: 48_000 });
    expect([...(one.configs[0] as { description: Uint8Array }).description.subarray(0, 2)]).toEqual([0x11, 0x88]);
    expect(other.units.length).toBe(one.units.length);
    const step = 1_024_000_000 / 48_000;
    one.units.forEach((unit, i) => {
      expect(Math.abs(unit.pts - one.units[0].pts - i * step)).toBeLessThan(1500);
    });
    // The encoder's first frame holds its delay of 1024 samples.
    expect(Math.abs(one.units[0].pts - units[0].pts)).toBeLessThan(40_000);
    detachOne();
    expect(children()).toHaveLength(1);
    detachOther();
    await eventually('the child to end', () => children().length === 0);
    expect(track.sinks.size).toBe(0);
  });

  test('goes on after the child was killed', async () => {
    const { track, units } = await opus(3);
    const twin = new OpusToAac(silentLogger).aacOf(track) as StreamTrack;
    const listener = new Listener();
    const detach = twin.attach(listener);
    const half = units.length >> 1;
    units.slice(0, half).forEach((unit) => {
      track.push(unit);
    });
    await eventually('the first AAC', () => listener.units.length > 10);
    const before = children();
    process.kill(Number(before[0]), 'SIGKILL');
    await eventually('another child', () => children().length === 1 && children()[0] !== before[0]);
    const count = listener.units.length;
    units.slice(half).forEach((unit) => {
      track.push(unit);
    });
    await eventually('AAC from the second child', () => listener.units.length > count + 10);
    expect(listener.units.at(-1)!.pts).toBeGreaterThan(units[half].pts);
    detach();
    await eventually('the child to end', () => children().length === 0);
  });

  test('says what is missing without ffmpeg', async () => {
    const { track } = await opus(1);
    const path = process.env['PATH'];
    process.env['PATH'] = '';
    try {
      expect(new OpusToAac(silentLogger).aacOf(track)).toEqual({
        reason: expect.stringMatching(
          /^The audio is Opus, FLV players need AAC, and ffmpeg is not on the PATH/,
        ) as unknown,
      });
    } finally {
      process.env['PATH'] = path;
    }
  });
});
