import { expect, test } from '@jest/globals';
import { ChannelSet } from '../../../../server/delivery/channel-set.ts';
import { createDeliveryCounters } from '../../../../server/delivery/delivery-context.ts';
import type { Choice } from '../../../../server/delivery/rendition-choice.ts';
import { RenditionFollower } from '../../../../server/delivery/rendition-follower.ts';
import { Subscriber } from '../../../../server/delivery/subscriber.ts';
import { tesseraFormat } from '../../../../server/delivery/wire-format.ts';
import { silentLogger } from '../../../../server/platform/logger.ts';
import {
  defaultLimits,
  FakeProvider,
  rendition360,
  rendition720,
  request,
  STREAM,
  streamRoom,
  unit,
  videoConfig,
} from '../../../support/stream-room.ts';

const stats = { encodeMs: 1, qp: 30 };

function room(requested: string) {
  const provider = new FakeProvider(rendition720, rendition360);
  const { registry, clock, metrics } = streamRoom({ renditions: provider, limits: { idlePublisherMs: 3_600_000 } });
  const slot = registry.open(request());
  slot.setTrack('video', videoConfig());
  slot.push('video', unit(0, 'key'));
  const stream = registry.get(STREAM)!;
  const context = {
    registry,
    clock,
    limits: defaultLimits,
    logger: silentLogger,
    reporter: { report: () => undefined },
    counters: createDeliveryCounters(metrics),
  };
  const choices: Choice[] = [];
  const subscriber = new Subscriber({
    outlet: { waitingBytes: 0, write: () => undefined },
    framing: tesseraFormat.framing,
    limits: { maxBytes: 1e6, maxAgeMs: 3000 },
    clock,
  });
  const follower = new RenditionFollower({
    context,
    channels: new ChannelSet(context),
    stream,
    subscriber,
    flushClass: 'realtime',
    format: tesseraFormat,
    requested,
    canSwitch: true,
    onChoice: (choice) => void choices.push(choice),
  });
  follower.start();
  /** The encoder of the n-th started rendition makes its first picture. */
  const makePicture = async (index: number): Promise<void> => {
    provider.started[index]!.sink.setConfig(videoConfig());
    provider.started[index]!.sink.push(unit(0, 'key'), stats);
    await Promise.resolve();
  };
  return { provider, clock, stream, slot, follower, choices, makePicture };
}

test('a viewer of auto sees the source at once, and the rendition with its first picture', async () => {
  const { follower, choices, provider, makePicture } = room('auto');
  expect([follower.rendition, provider.started.length]).toEqual(['source', 1]);
  expect(choices.at(-1)).toEqual({ rendition: 'source', reason: 'The rendition 720p is starting.' });
  await makePicture(0);
  expect(follower.rendition).toBe('720p');
  expect(choices.at(-1)).toEqual({ rendition: '720p' });
});

test('a rendition that never starts is given up and stops', async () => {
  const { follower, clock, choices, provider } = room('720p');
  clock.advance(30_000);
  await Promise.resolve();
  expect(follower.rendition).toBe('source');
  expect(choices.at(-1)?.reason).toContain('did not start in time');
  clock.advance(5000);
  expect(provider.started[0]?.stopped).toBe(true);
});

test('a viewer keeps its picture while the selected rendition starts', async () => {
  const { follower, makePicture } = room('720p');
  await makePicture(0);
  follower.select('360p');
  expect(follower.rendition).toBe('720p');
  await makePicture(1);
  expect(follower.rendition).toBe('360p');
  follower.select('source');
  expect(follower.rendition).toBe('source');
});

test('a rendition that fails gives way to the next best for auto, and to the source with the reason by name', async () => {
  const auto = room('auto');
  await auto.makePicture(0);
  auto.provider.started[0]!.sink.fail('the worker died');
  await auto.makePicture(1);
  expect(auto.follower.rendition).toBe('360p');
  const named = room('720p');
  await named.makePicture(0);
  named.provider.started[0]!.sink.fail('the worker died');
  expect(named.follower.rendition).toBe('source');
  expect(named.choices.at(-1)?.reason).toContain('720p');
});

test('who leaves while a rendition starts lets go of it', async () => {
  const { follower, provider, clock } = room('auto');
  follower.close();
  await Promise.resolve();
  clock.advance(5000);
  expect(provider.started[0]?.stopped).toBe(true);
});
