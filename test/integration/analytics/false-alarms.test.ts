// Healthy films, played round and round into real streams on a clock that the test moves: how often health cries wolf. Three minutes of
// every clip by default, four hours with TESSERA_LONG; the issue's bound is 0.1 alarms per hour of stream.

import { afterEach, expect, test } from '@jest/globals';
import { H264Source } from '../../../server/cli/publish/h264-source.ts';
import { Mp4Source } from '../../../server/cli/publish/mp4-source.ts';
import type { MediaSource } from '../../../server/cli/publish/media-source.ts';
import { ClipPublisher, HealthScene, type Clip } from '../../support/health-scene.ts';
import { describeWith, materialDir } from '../../support/requirements.ts';

const MINUTES = process.env['TESSERA_LONG'] === '1' ? 240 : 3;
const MOST_PER_HOUR = 0.1;

async function clipOf(source: MediaSource): Promise<Clip> {
  let config: Clip['config'] | null = null;
  const units: { isKey: boolean; data: Uint8Array }[] = [];
  const times: number[] = [];
  for await (const event of source.events()) {
    if (event.kind === 'track' && event.name === 'video') {
      config = event.config;
    } else if (event.kind === 'unit' && event.name === 'video') {
      units.push({ isKey: event.unit.priority === 'key', data: event.unit.data });
      times.push(event.unit.dts);
    }
  }
  const spanUs = (times.at(-1) ?? 0) - (times[0] ?? 0);
  return { config: config!, unitMs: spanUs / 1000 / (times.length - 1), units };
}

describeWith(['material'], 'healthy films', () => {
  let scene: HealthScene;

  afterEach(async () => {
    await scene.close();
  });

  test(
    `raise at most ${MOST_PER_HOUR} alarms an hour`,
    async () => {
      const clips: Record<string, Clip> = {
        foreman: await clipOf(new H264Source(`${materialDir}/clips/foreman_cif.264`)),
        mobile: await clipOf(new H264Source(`${materialDir}/clips/mobile_cif.264`)),
        bunny: await clipOf(new Mp4Source(`${materialDir}/clips/bbb720.mp4`)),
      };
      scene = new HealthScene();
      const publishers = Object.entries(clips).map(([name, clip]) => {
        const publisher = new ClipPublisher(scene, name);
        publisher.play('video', clip);
        return publisher;
      });
      await scene.run(MINUTES * 60_000);
      for (const publisher of publishers) {
        publisher.stop();
      }
      const hours = (publishers.length * MINUTES) / 60;
      const opened = scene.alerts.filter(({ change }) => change === 'opened');
      const what = opened.map(({ stream, issue }) => `${stream} ${issue.type} ${issue.actual}/${issue.expected}`);
      process.stdout.write(
        `false alarms: ${opened.length} in ${hours} h of healthy streams, ${opened.length / hours} per hour ${what.join(', ')}\n`,
      );
      expect(opened.length / hours).toBeLessThanOrEqual(MOST_PER_HOUR);
    },
    10 * MINUTES * 60_000,
  );
});
