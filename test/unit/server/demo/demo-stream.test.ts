import { expect, test } from '@jest/globals';
import { DemoStream } from '../../../../server/demo/demo-stream.ts';
import { silentLogger } from '../../../../server/platform/logger.ts';
import type { PublishAdmission, PublishRequest } from '../../../../server/streams/roles.ts';
import type { AccessUnit, TrackConfig } from '../../../../shared/media/access-unit.ts';
import { ProtocolError } from '../../../../shared/errors.ts';
import { BT709_LIMITED as BT709 } from '../../../../shared/media/colour.ts';
import { parseStreamId } from '../../../../shared/media/brands.ts';
import { packedI420 } from '../../../../shared/media/frame.ts';
import { readPictureClock } from '../../../../shared/media/picture-clock.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

class RecordingAdmission implements PublishAdmission {
  readonly requests: PublishRequest[] = [];
  readonly configs: TrackConfig[] = [];
  readonly units: AccessUnit[] = [];
  readonly closed: string[] = [];
  isBusy = false;

  open(request: PublishRequest): ReturnType<PublishAdmission['open']> {
    if (this.isBusy) {
      throw new ProtocolError('busy', 'Somebody else publishes this stream.');
    }
    this.requests.push(request);
    return {
      streamId: request.streamId,
      epoch: this.requests.length,
      session: 'session',
      viewerCount: () => 0,
      setTrack: (_name, config) => void this.configs.push(config),
      push: (_name, unit) => void this.units.push(unit),
      close: (how) => void this.closed.push(how),
    };
  }
}

function demo(admission: PublishAdmission, clock: FakeClock): DemoStream {
  const streamId = parseStreamId('demo');
  return new DemoStream({
    admission,
    clock,
    logger: silentLogger,
    streamId: streamId!,
    key: 'the-key',
    size: { width: 320, height: 180 },
  });
}

test('publishes 30 raw pictures per second with capture time in header and picture', () => {
  const [admission, clock] = [new RecordingAdmission(), new FakeClock()];
  const stream = demo(admission, clock);
  stream.start();
  clock.advance(1000);
  expect(admission.requests[0]).toMatchObject({ protocol: 'internal', key: 'the-key' });
  expect(admission.configs[0]).toMatchObject({ codec: 'raw/i420', width: 320, height: 180, fps: 30 });
  expect(admission.units).toHaveLength(31);
  const tenth = admission.units[10];
  expect(tenth.pts).toBe(333_333);
  const picture = packedI420(tenth.data, { width: 320, height: 180 }, { timestamp: tenth.pts, colour: BT709 });
  expect(readPictureClock(picture.y)).toBe(Math.floor(tenth.captureTime! / 1000));
  stream.stop();
  clock.advance(1000);
  expect(admission.units).toHaveLength(31);
  expect(admission.closed).toEqual(['finished']);
  expect(clock.pending).toBe(0);
});

test('jumps to now after a pause of the process instead of catching up', () => {
  const [admission, clock] = [new RecordingAdmission(), new FakeClock()];
  const real = clock.monotonicMs.bind(clock);
  let pauseMs = 0;
  clock.monotonicMs = () => real() + pauseMs;
  demo(admission, clock).start();
  clock.advance(100);
  const before = admission.units.length;
  pauseMs = 10_000;
  clock.advance(100);
  expect(admission.units.length - before).toBeLessThanOrEqual(5);
  expect(admission.units.at(-1)!.pts).toBeGreaterThan(9_900_000);
});

test('tries again when its place is taken, and takes it when it is free', () => {
  const [admission, clock] = [new RecordingAdmission(), new FakeClock()];
  admission.isBusy = true;
  demo(admission, clock).start();
  expect(admission.units).toHaveLength(0);
  admission.isBusy = false;
  clock.advance(5100);
  expect(admission.units.length).toBeGreaterThan(0);
  admission.requests[0].onRevoked('busy', 'taken over');
  const before = admission.units.length;
  clock.advance(1000);
  expect(admission.units).toHaveLength(before);
  clock.advance(5000);
  expect(admission.requests).toHaveLength(2);
  expect(admission.units.length).toBeGreaterThan(before);
});

test('paints the time of the header where the clock stands just before a whole millisecond', () => {
  const [admission, clock] = [new RecordingAdmission(), new FakeClock()];
  clock.epochMs = () => 1_795_384_670_947.9998;
  demo(admission, clock).start();
  clock.advance(0);
  const { data, pts, captureTime } = admission.units[0];
  const picture = packedI420(data, { width: 320, height: 180 }, { timestamp: pts, colour: BT709 });
  expect(readPictureClock(picture.y)).toBe(Math.floor(captureTime! / 1000));
});
