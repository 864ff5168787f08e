import { expect, test } from '@jest/globals';
import { decodeObjects, type WireObject } from '../../../../shared/protocol/object-header.ts';
import { Channel, type FlushClass } from '../../../../server/delivery/channel.ts';
import { Subscriber } from '../../../../server/delivery/subscriber.ts';
import { tesseraFormat } from '../../../../server/delivery/wire-format.ts';
import { audioConfig, request, STREAM, streamRoom, unit, videoConfig } from '../../../support/stream-room.ts';

/** Splits written frames back into texts and binary messages. */
class Reader {
  readonly waitingBytes = 0;
  readonly texts: string[] = [];
  readonly messages: WireObject[][] = [];
  private bytes = Buffer.alloc(0);

  write(chunks: readonly Uint8Array[]): void {
    this.bytes = Buffer.concat([this.bytes, ...chunks]);
    while (this.bytes.length >= 2) {
      const short = this.bytes[1];
      const [start, length] =
        short < 126
          ? [2, short]
          : short === 126
            ? [4, this.bytes.readUInt16BE(2)]
            : [10, Number(this.bytes.readBigUInt64BE(2))];
      const payload = this.bytes.subarray(start, start + length);
      if (this.bytes[0] === 0x81) {
        this.texts.push(payload.toString());
      } else {
        this.messages.push(decodeObjects(payload));
      }
      this.bytes = this.bytes.subarray(start + length);
    }
  }

  get objects(): WireObject[] {
    return this.messages.flat();
  }
}

function room(flushClass: FlushClass, format = tesseraFormat) {
  const { registry, clock } = streamRoom();
  const slot = registry.open(request());
  slot.setTrack('video', videoConfig());
  const stream = registry.get(STREAM)!;
  const failures: unknown[] = [];
  const channel = new Channel({
    source: {
      stream,
      rendition: 'source',
      video: () => stream.tracks.source,
      audio: () => stream.tracks.audio,
      onVideoEnded: () => undefined,
    },
    flushClass,
    format,
    clock,
    joinBurstBytes: 10_000,
    onFailure: (error) => void failures.push(error),
  });
  const join = (): { reader: Reader; subscriber: Subscriber } => {
    const reader = new Reader();
    const subscriber = new Subscriber({
      outlet: reader,
      framing: tesseraFormat.framing,
      limits: { maxBytes: 1e6, maxAgeMs: 3000 },
      clock,
    });
    channel.add(subscriber);
    return { reader, subscriber };
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { slot, stream, channel, clock, failures, join, turn };
}

test('realtime: units of one turn of the event loop share one message', async () => {
  const { slot, join, turn } = room('realtime');
  slot.setTrack('audio', audioConfig);
  slot.push('video', unit(0, 'key'));
  const { reader } = join();
  await turn();
  slot.push('audio', unit(30));
  slot.push('video', unit(33));
  await turn();
  slot.push('video', unit(66));
  await turn();
  expect(reader.messages.map((objects) => objects.map(({ kind, pts }) => `${kind} ${pts / 1000}`))).toEqual([
    ['video 0'],
    ['audio 30', 'video 33'],
    ['video 66'],
  ]);
});

test('realtime: audio without a picture waits 25 ms at most', async () => {
  const { slot, join, clock, turn } = room('realtime');
  slot.setTrack('audio', audioConfig);
  slot.push('video', unit(0, 'key'));
  const { reader } = join();
  slot.push('audio', unit(10));
  await turn();
  clock.advance(24);
  expect(reader.objects).toHaveLength(1);
  clock.advance(1);
  expect(reader.objects).toHaveLength(2);
});

test('normal: an eighth of a second shares one message', async () => {
  const { slot, join, clock, turn } = room('normal');
  slot.push('video', unit(0, 'key'));
  const { reader } = join();
  for (const ms of [33, 66, 100]) {
    slot.push('video', unit(ms));
  }
  await turn();
  expect(reader.messages).toHaveLength(1);
  clock.advance(125);
  expect(reader.messages.map((objects) => objects.length)).toEqual([1, 3]);
});

test('who joins gets track, the cached group marked as cached, then the same objects as everybody', async () => {
  const { slot, join, turn } = room('realtime');
  slot.push('video', unit(0, 'key'));
  slot.push('video', unit(33));
  const first = join().reader;
  slot.push('video', unit(66));
  const second = join().reader;
  slot.push('video', unit(100));
  await turn();
  const shape = ({ group, object, isCached }: WireObject) => `${group}/${object}${isCached ? '*' : ''}`;
  expect(first.objects.map(shape)).toEqual(['0/0*', '0/1*', '0/2', '0/3']);
  expect(second.objects.map(shape)).toEqual(['0/0*', '0/1*', '0/2*', '0/3']);
  expect(JSON.parse(second.texts[0] ?? '')).toMatchObject({ type: 'track', rendition: 'source', kind: 'video' });
});

test('a cached group beyond the burst budget is not sent: the viewer starts with the next key unit', async () => {
  const { slot, join, turn } = room('realtime');
  slot.push('video', unit(0, 'key', { bytes: 20_000 }));
  const { reader } = join();
  slot.push('video', unit(33));
  await turn();
  expect(reader.objects).toHaveLength(0);
  slot.push('video', unit(66, 'key'));
  await turn();
  expect(reader.objects.map(({ group }) => group)).toEqual([1]);
});

test('who leaves gets nothing more, and a closed channel holds no sink of the track', async () => {
  const { slot, stream, channel, join, turn } = room('realtime');
  slot.push('video', unit(0, 'key'));
  const { reader, subscriber } = join();
  channel.remove(subscriber);
  slot.push('video', unit(33));
  await turn();
  expect(reader.objects).toHaveLength(1);
  expect(stream.tracks.source?.sinkCount).toBe(1);
  channel.close();
  expect(stream.tracks.source?.sinkCount).toBe(0);
});

test('state and number of viewers are told to who joins and on change, the number at most once a second', () => {
  const { slot, stream, clock, join } = room('realtime');
  slot.push('video', unit(0, 'key'));
  const release = stream.addViewer();
  const { reader } = join();
  expect(JSON.parse(reader.texts.at(-1) ?? '')).toEqual({ type: 'state', state: 'live', epoch: 1, viewers: 1 });
  stream.addViewer();
  stream.addViewer()();
  expect(reader.texts).toHaveLength(2);
  clock.advance(1000);
  expect(reader.texts).toHaveLength(3);
  expect(JSON.parse(reader.texts.at(-1) ?? '')).toEqual({ type: 'state', state: 'live', epoch: 1, viewers: 2 });
  release();
  slot.close('lost');
  expect(JSON.parse(reader.texts.at(-1) ?? '')).toMatchObject({ state: 'reconnecting', viewers: 1 });
});

test('capture times turn the kind of latency to glass, and viewers are told', async () => {
  const { slot, clock, join, turn } = room('realtime');
  slot.push('video', unit(0, 'key'));
  const { reader } = join();
  expect(JSON.parse(reader.texts[0] ?? '')).toMatchObject({ latencyKind: 'ingest' });
  slot.push('video', unit(33, 'reference', { captureMs: clock.epochMs() }));
  await turn();
  expect(JSON.parse(reader.texts.at(-1) ?? '')).toMatchObject({ type: 'track', latencyKind: 'glass' });
});

test('a unit that cannot be laid out is left out and noted, cached or live, and the viewers go on', async () => {
  const bad = new RangeError('too late to be written');
  const { slot, stream, failures, join, turn } = room('realtime', {
    ...tesseraFormat,
    unit: (label, delivered, place) => {
      if (delivered.data.length === 13) {
        throw bad;
      }
      return tesseraFormat.unit(label, delivered, place);
    },
  });
  slot.push('video', unit(0, 'key'));
  slot.push('video', unit(33, 'reference', { bytes: 13 }));
  const { reader } = join();
  slot.push('video', unit(66));
  slot.push('video', unit(100, 'reference', { bytes: 13 }));
  slot.push('video', unit(133));
  await turn();
  expect(reader.objects.map(({ object }) => object)).toEqual([0, 2, 4]);
  expect(failures).toEqual([bad, bad]);
  expect(stream.tracks.source?.sinkCount).toBe(1);
});

test('a configuration that cannot be laid out leaves the channel attached', async () => {
  const { slot, failures, join, turn } = room('realtime', {
    ...tesseraFormat,
    config: (label, timestampMs) => {
      if (label.config.kind === 'video' && label.config.width === 13) {
        throw new RangeError('no such width');
      }
      return tesseraFormat.config(label, timestampMs);
    },
  });
  const { reader } = join();
  slot.setTrack('video', videoConfig({ width: 13 }));
  slot.push('video', unit(0, 'key'));
  await turn();
  expect(failures).toHaveLength(1);
  expect(reader.objects).toHaveLength(1);
});

test('a viewer whose connection throws keeps nothing from the others', async () => {
  const { slot, channel, clock, failures, join, turn } = room('realtime');
  slot.push('video', unit(0, 'key'));
  let isBroken = false;
  channel.add(
    new Subscriber({
      outlet: {
        waitingBytes: 0,
        write: () => {
          if (isBroken) {
            throw new Error('broken');
          }
        },
      },
      framing: tesseraFormat.framing,
      limits: { maxBytes: 1e6, maxAgeMs: 3000 },
      clock,
    }),
  );
  const { reader } = join();
  isBroken = true;
  slot.push('video', unit(33));
  await turn();
  expect(reader.objects).toHaveLength(2);
  expect(failures).toHaveLength(1);
});

test('a loss in the open group asks for a key unit, within the limit; older groups and audio ask for nothing', () => {
  const { registry, clock } = streamRoom();
  let asked = 0;
  const slot = registry.open(request({ onKeyframeWanted: () => (asked += 1) }));
  slot.setTrack('video', videoConfig());
  slot.setTrack('audio', audioConfig);
  const stream = registry.get(STREAM)!;
  const channel = new Channel({
    source: {
      stream,
      rendition: 'source',
      video: () => stream.tracks.source,
      audio: () => stream.tracks.audio,
      onVideoEnded: () => undefined,
    },
    flushClass: 'realtime',
    format: tesseraFormat,
    clock,
    joinBurstBytes: 10_000,
    onFailure: () => undefined,
  });
  slot.push('video', unit(0, 'key'));
  slot.push('video', unit(33, 'key'));
  const [video, audio] = [stream.tracks.idOf('source'), stream.tracks.idOf('audio')];
  channel.takeLoss({ track: video, group: 0 });
  channel.takeLoss({ track: audio, group: 1 });
  channel.takeLoss({ track: 77, group: 1 });
  expect(asked).toBe(0);
  for (let repeat = 0; repeat < 5; repeat++) {
    channel.takeLoss({ track: video, group: 1 });
  }
  expect(asked).toBe(1);
  clock.advance(2000);
  channel.takeLoss({ track: video, group: 1 });
  expect(asked).toBe(2);
  expect(channel.tally.reportedLosses).toBe(9);
});
