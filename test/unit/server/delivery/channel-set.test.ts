import { expect, jest, test } from '@jest/globals';
import { ChannelSet } from '../../../../server/delivery/channel-set.ts';
import { createDeliveryCounters } from '../../../../server/delivery/delivery-context.ts';
import { Subscriber } from '../../../../server/delivery/subscriber.ts';
import { tesseraFormat } from '../../../../server/delivery/wire-format.ts';
import { silentLogger, type Logger } from '../../../../server/platform/logger.ts';
import { defaultLimits, request, STREAM, streamRoom, unit, videoConfig } from '../../../support/stream-room.ts';

test('units that cannot be laid out are all counted and logged once', async () => {
  const { registry, clock, metrics } = streamRoom();
  const slot = registry.open(request());
  slot.setTrack('video', videoConfig());
  const error = jest.fn();
  const channels = new ChannelSet({
    registry,
    clock,
    limits: defaultLimits,
    logger: Object.assign(Object.create(silentLogger) as Logger, { error }),
    reporter: { report: () => undefined },
    counters: createDeliveryCounters(metrics),
  });
  const subscriber = new Subscriber({
    outlet: { waitingBytes: 0, write: () => undefined },
    framing: tesseraFormat.framing,
    limits: { maxBytes: 1e6, maxAgeMs: 3000 },
    clock,
  });
  const failure = new RangeError('no such time');
  channels.join({
    stream: registry.get(STREAM)!,
    rendition: 'source',
    flushClass: 'realtime',
    format: {
      ...tesseraFormat,
      unit: () => {
        throw failure;
      },
    },
    subscriber,
    onLost: () => undefined,
  });
  slot.push('video', unit(0, 'key'));
  slot.push('video', unit(33));
  const counted = await metrics.registry.getSingleMetric('tessera_delivery_failures_total')?.get();
  expect(counted?.values).toEqual([{ labels: {}, value: 2 }]);
  expect(error.mock.calls).toEqual([[expect.objectContaining({ err: failure, stream: STREAM }), expect.any(String)]]);
});
