// `tessera publish FILE URL`: sends a file in real time to a Tessera server over tessera.1, or to any RTMP server.

import type { Command } from 'commander';
import { ProtocolError } from '../../shared/errors.ts';
import { RAW_CODEC } from '../../shared/protocol/track-message.ts';
import { parseRtmpAddress, RtmpClient } from './clients/rtmp-client.ts';
import { WebSocketPublisher } from './clients/websocket-publisher.ts';
import { finiteNumber, printJson, UsageError } from './command-line.ts';
import { DecodingSource } from './publish/decoding-source.ts';
import { FrameEncoder } from './publish/frame-encoder.ts';
import { isPictureSource, timeOf } from './publish/media-source.ts';
import type { MediaSource, PictureSource, SourceEvent } from './publish/media-source.ts';
import { kindOfFile, openSource } from './publish/open-source.ts';
import type { FileKind } from './publish/open-source.ts';
import { continuousEvents, Pacer } from './publish/pacing.ts';
import { RtmpTarget, WebSocketTarget } from './publish/publish-target.ts';
import type { PublishTarget } from './publish/publish-target.ts';

type PublishOptions = {
  readonly key?: string;
  readonly loop?: true;
  readonly raw?: true;
  readonly encode?: true;
  readonly seconds?: number;
  readonly kbps?: number;
  readonly fps?: number;
  readonly json?: true;
};

type Protocol = 'rtmp' | 'websocket';

/** What was sent. */
export type PublishSummary = { readonly seconds: number; readonly units: number; readonly bytes: number };

/** Registers `tessera publish`. */
export function registerPublish(program: Command): void {
  program
    .command('publish')
    .description('send a file in real time over WebSocket or RTMP')
    .argument('<file>', 'FLV, MP4, MOV, MKV, WebM, Y4M or H.264; - is Y4M on stdin')
    .argument('<url>', 'ws(s)://HOST/publish/STREAM?key=KEY or rtmp://HOST/live/STREAM?key=KEY')
    .option('--key <key>', 'publish key, where it is not in the address')
    .option('--loop', 'start again at the end of the file; time goes on')
    .option('--raw', 'send raw pictures (Y4M, or H.264 decoded here; WebSocket only)')
    .option('--encode', 'encode with our encoder (Y4M, where it is the default, or H.264 decoded here)')
    .option('--seconds <n>', 'stop after this much media', finiteNumber(0.001, 1e9))
    .option('--kbps <n>', 'bitrate of --encode', finiteNumber(1, 1e6))
    .option('--fps <n>', 'frame rate of an H.264 file that does not say it', finiteNumber(0.1, 1000))
    .option('--json', 'print one JSON document on stdout')
    .action(async (file: string, url: string, options: PublishOptions) => {
      const summary = await publishFile(file, url, options);
      if (options.json === true) {
        printJson(summary);
      }
    });
}

/** Sends the file. Rejects with one sentence when the file or the server fails. */
export async function publishFile(file: string, url: string, options: PublishOptions): Promise<PublishSummary> {
  const protocol = protocolOf(url);
  const kind = await kindOfFile(file);
  checkCombination(protocol, options);
  const source = sourceOf(file, kind, protocol, options);
  let isKeyframeWanted = false;
  // The file's first event is read before anybody is disturbed: a file that cannot be sent opens no stream.
  const reading = continuousEvents(source, options.loop === true);
  const events = await started(reading);
  try {
    const target = await connect(url, protocol, options, () => (isKeyframeWanted = true));
    const takeKeyframeWish = (): boolean => {
      const wish = isKeyframeWanted;
      isKeyframeWanted = false;
      return wish;
    };
    return await run({ source, events }, target, { options, takeKeyframeWish });
  } catch (error) {
    throw error instanceof ProtocolError && error.code !== 'unsupported-codec'
      ? new Error(`The server refused the publisher (${error.code}): ${error.message}`)
      : error;
  } finally {
    await reading.return(undefined); // the file is closed also when nobody took it
  }
}

/** The file as units, as whole FLV tags for RTMP, or as pictures where they are to be encoded or sent raw. */
function sourceOf(file: string, kind: FileKind, protocol: Protocol, options: PublishOptions): MediaSource {
  const wantsPictures = options.raw === true || options.encode === true;
  const source = openSource(file, kind, {
    asTags: protocol === 'rtmp' && !wantsPictures,
    ...(options.fps === undefined ? {} : { fps: options.fps }),
  });
  return wantsPictures && kind !== 'y4m' ? new DecodingSource(source) : source;
}

/** The same events, the first of them already read. Rejects when reading it fails. */
async function started(events: AsyncGenerator<SourceEvent>): Promise<AsyncIterable<SourceEvent>> {
  const first = await events.next();
  return (async function* () {
    if (first.done !== true) {
      yield first.value;
      yield* events;
    }
  })();
}

function protocolOf(url: string): Protocol {
  const scheme = URL.canParse(url) ? new URL(url).protocol : '';
  if (scheme === 'rtmp:') {
    return 'rtmp';
  }
  if (scheme === 'ws:' || scheme === 'wss:') {
    return 'websocket';
  }
  throw new UsageError(`The address ${url.split('?')[0] ?? ''} must start with ws://, wss:// or rtmp://.`);
}

function checkCombination(protocol: Protocol, options: PublishOptions): void {
  if (options.raw === true && options.encode === true) {
    throw new UsageError('Give --raw or --encode, not both.');
  }
  if (options.raw === true && protocol === 'rtmp') {
    throw new UsageError('RTMP carries no raw pictures: use a ws:// address, or --encode.');
  }
}

async function connect(
  url: string,
  protocol: Protocol,
  options: PublishOptions,
  onKeyframeWanted: () => void,
): Promise<PublishTarget> {
  const address = new URL(url);
  const key = options.key ?? address.searchParams.get('key') ?? '';
  if (protocol === 'rtmp') {
    if (options.key !== undefined) {
      address.searchParams.set('key', options.key);
    }
    return new RtmpTarget(await RtmpClient.publish(rtmpAddress(address.href)));
  }
  address.searchParams.delete('key'); // it travels in the first message, where no log sees it
  const agent = 'tessera publish';
  return new WebSocketTarget(await WebSocketPublisher.connect({ url: address.href, key, agent, onKeyframeWanted }));
}

function rtmpAddress(url: string): ReturnType<typeof parseRtmpAddress> {
  try {
    return parseRtmpAddress(url);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

type Run = { readonly options: PublishOptions; readonly takeKeyframeWish: () => boolean };

/** Reads, waits, encodes where asked, sends; says goodbye also on Ctrl-C. */
async function run(
  { source, events }: { readonly source: MediaSource; readonly events: AsyncIterable<SourceEvent> },
  target: PublishTarget,
  { options, takeKeyframeWish }: Run,
): Promise<PublishSummary> {
  const pacer = new Pacer();
  const transform = isPictureSource(source)
    ? pictureTransform(source, target, { options, takeKeyframeWish })
    : passThrough;
  const interruption = { hasCome: false };
  const interrupt = (): void => void (interruption.hasCome = true);
  process.once('SIGINT', interrupt);
  const summary = { seconds: 0, units: 0, bytes: 0 };
  try {
    for await (const event of events) {
      const time = timeOf(event);
      if (interruption.hasCome || (time !== null && time / 1e6 >= (options.seconds ?? Infinity))) {
        break;
      }
      if (time !== null) {
        await pacer.due(time);
        summary.seconds = Math.max(summary.seconds, time / 1e6);
      }
      for (const outgoing of transform(event)) {
        count(summary, outgoing);
        await target.send(outgoing);
      }
    }
  } finally {
    process.removeListener('SIGINT', interrupt);
    await target.close();
  }
  return summary;
}

const passThrough = (event: SourceEvent): SourceEvent[] => [event];

/** Pictures are encoded, or announced as a raw track. */
function pictureTransform(
  source: PictureSource,
  target: PublishTarget,
  { options, takeKeyframeWish }: Run,
): (event: SourceEvent) => SourceEvent[] {
  let encoder: FrameEncoder | null = null;
  let isAnnounced = false;
  return (event) => {
    if (event.kind !== 'frame') {
      return [event];
    }
    const { framerate } = source;
    if (options.raw !== true) {
      encoder ??= new FrameEncoder({ framerate, ...(options.kbps === undefined ? {} : { kbps: options.kbps }) });
      return encoder.encode(event.frame, { captureTime: target.now(), isKeyframe: takeKeyframeWish() });
    }
    if (isAnnounced) {
      return [event];
    }
    isAnnounced = true;
    const { width, height, sampleAspect, colour } = event.frame;
    const fps = framerate.numerator / framerate.denominator;
    const config = { kind: 'video', codec: RAW_CODEC, width, height, sampleAspect, colour, fps } as const;
    return [{ kind: 'track', name: 'video', config }, event];
  };
}

function count(summary: { units: number; bytes: number }, event: SourceEvent): void {
  switch (event.kind) {
    case 'unit':
      summary.units += 1;
      summary.bytes += event.unit.data.length;
      break;
    case 'tag':
      summary.units += 1;
      summary.bytes += event.tag.data.length;
      break;
    case 'frame':
      summary.units += 1;
      summary.bytes += event.frame.y.data.length + event.frame.u.data.length + event.frame.v.data.length;
      break;
    case 'track':
      break;
  }
}
