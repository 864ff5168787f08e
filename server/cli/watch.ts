// `tessera watch URL`: joins a stream as a viewer, over tessera.1 or HTTP-FLV, and says in figures what a viewer sees.

import type { Command } from 'commander';
import { PeerClosedError, ProtocolError } from '../../shared/errors.ts';
import { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import type { AccessUnit, TrackConfig } from '../../shared/media/access-unit.ts';
import type { I420Frame } from '../../shared/media/frame.ts';
import type { WireObject } from '../../shared/protocol/object-header.ts';
import { watchFlv } from './clients/flv-subscriber.ts';
import { WebSocketSubscriber } from './clients/websocket-subscriber.ts';
import type { SubscribedTrack } from './clients/websocket-subscriber.ts';
import { finiteNumber, printJson, UsageError } from './command-line.ts';
import { AnnexBFile } from './watch/annex-b-file.ts';
import { ViewerStatistics } from './watch/viewer-statistics.ts';
import type { WatchSummary } from './watch/viewer-statistics.ts';

type WatchOptions = {
  readonly rendition?: string;
  readonly class?: string;
  readonly seconds?: number;
  readonly output?: string;
  readonly decode?: true;
  readonly json?: true;
};

type Target = { readonly kind: 'websocket' | 'flv'; readonly url: string };

/** Registers `tessera watch`. */
export function registerWatch(program: Command): void {
  program
    .command('watch')
    .description('join a stream as a viewer and say what a viewer sees')
    .argument(
      '<url>',
      'ws(s)://HOST/subscribe/STREAM, http(s)://HOST/watch/STREAM or http(s)|ws(s)://HOST/live/STREAM.flv',
    )
    .option('--rendition <name>', 'auto, source or the name of a rendition')
    .option('--class <class>', 'realtime or normal (bigger writes, a little later)')
    .option('--seconds <n>', 'leave after this time; else when the stream ends', finiteNumber(0.1, 1e9))
    .option('-o, --output <file>', 'write the video as an H.264 byte stream; - is stdout')
    .option('--decode', 'decode the video with our decoder and count what it could not')
    .option('--json', 'print one JSON document on stdout')
    .action(async (url: string, options: WatchOptions) => {
      const summary = await watchStream(url, options);
      if (options.json === true) {
        printJson(summary);
      } else {
        process.stderr.write(`${sentenceOf(summary)}\n`);
      }
    });
}

/** Watches and returns the figures. Rejects with one sentence when refused, or when no picture came. */
export async function watchStream(url: string, options: WatchOptions): Promise<WatchSummary> {
  const target = targetOf(url, options);
  const viewer = new Viewer(options);
  try {
    await (target.kind === 'flv'
      ? watchHttpFlv(target.url, viewer, options)
      : watchWebSocket(target.url, viewer, options));
  } finally {
    await viewer.close();
  }
  if (viewer.statistics.frames === 0) {
    throw new PeerClosedError('No picture came.');
  }
  return viewer.statistics.summary();
}

/** The address to connect to, with the options in its query. */
function targetOf(text: string, options: WatchOptions): Target {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^(wss?|https?):$/.test(url.protocol)) {
    throw new UsageError('The address must start with ws://, wss://, http:// or https://.');
  }
  if (options.rendition !== undefined) {
    url.searchParams.set('rendition', options.rendition);
  }
  if (url.pathname.endsWith('.flv')) {
    return { kind: 'flv', url: url.href };
  }
  if (options.class !== undefined) {
    url.searchParams.set('class', options.class);
  }
  if (url.protocol.startsWith('http')) {
    if (!url.pathname.startsWith('/watch/')) {
      throw new UsageError(
        'An http address is that of a watch page (/watch/STREAM) or of an FLV stream (/live/STREAM.flv).',
      );
    }
    url.pathname = url.pathname.replace(/^\/watch\//, '/subscribe/');
    url.searchParams.delete('decoder');
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  }
  return { kind: 'websocket', url: url.href };
}

/** Where everything that arrives goes: figures, and the file of -o. */
class Viewer {
  readonly statistics = new ViewerStatistics(performance.now());
  readonly #file: AnnexBFile | null;
  readonly #decoder: H264Decoder | null;

  constructor({ output, decode }: WatchOptions) {
    this.#file = output === undefined ? null : new AnnexBFile(output);
    const count = { output: (frame: I420Frame) => frame.close(), error: () => this.statistics.countDecodeErrors(1) };
    this.#decoder = decode === true ? new H264Decoder(count) : null;
  }

  configure(config: TrackConfig): void {
    if (config.kind !== 'video') {
      return;
    }
    this.#file?.configure(config);
    if (this.#decoder !== null) {
      if (!config.codec.startsWith('avc1') || config.description === undefined) {
        throw new ProtocolError('unsupported-codec', `--decode reads H.264; this track is ${config.codec}.`);
      }
      this.#decoder.configure({ format: 'avc', description: config.description });
    }
  }

  takeUnit(name: string, unit: AccessUnit): void {
    const kind = name === 'audio' ? 'audio' : 'video';
    const isKey = unit.priority === 'key';
    this.statistics.add({
      kind,
      isKey,
      isCached: false,
      bytes: unit.data.length,
      ptsUs: unit.pts,
      dtsUs: unit.dts,
      at: performance.now(),
    });
    this.#keep(kind, unit);
  }

  takeObject(object: WireObject, track: SubscribedTrack, serverNow: number | null): void {
    if (object.kind === 'data') {
      return;
    }
    const kind = object.kind === 'audio' ? 'audio' : 'video';
    const isKey = object.priority === 'key';
    const origin = track.latencyKind === 'glass' ? object.captureTime : object.arrivalTime;
    const isTimed = serverNow !== null && origin !== undefined && origin > 0;
    this.statistics.add({
      kind,
      isKey,
      isCached: object.isCached,
      bytes: object.payload.length,
      ptsUs: object.pts,
      dtsUs: object.dts,
      place: { track: String(track.id), group: object.group, object: object.object },
      at: performance.now(),
      ...(isTimed ? { latencyMs: serverNow - origin / 1000 } : {}),
    });
    this.#keep(kind, { priority: object.priority, pts: object.pts, data: object.payload });
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #keep(kind: 'video' | 'audio', { priority, pts, data }: Pick<AccessUnit, 'priority' | 'pts' | 'data'>): void {
    if (kind === 'video') {
      const isKey = priority === 'key';
      this.#file?.write({ isKey, data });
      this.#decoder?.decode({ type: isKey ? 'key' : 'delta', timestamp: pts, data });
    }
  }
}

async function watchHttpFlv(url: string, viewer: Viewer, { seconds }: WatchOptions): Promise<void> {
  const abort = new AbortController();
  await untilDone(
    seconds,
    () => abort.abort(),
    (done) => {
      const handlers = {
        onTrack: (_name: string, config: TrackConfig) => viewer.configure(config),
        onUnit: (name: string, unit: AccessUnit) => viewer.takeUnit(name, unit),
      };
      watchFlv(url, handlers, abort.signal).then(() => done(null), done);
    },
  );
}

async function watchWebSocket(url: string, viewer: Viewer, { seconds }: WatchOptions): Promise<void> {
  let subscriber: WebSocketSubscriber | null = null;
  await untilDone(
    seconds,
    () => subscriber?.close(),
    (done) => {
      const subscribed = new WebSocketSubscriber(url, {
        onTrack: (track) => {
          viewer.statistics.restartTrack(String(track.id));
          viewer.configure(track.config);
          if (track.config.kind === 'video') {
            viewer.statistics.latencyKind = track.latencyKind;
          }
        },
        onObject: (object, track) =>
          viewer.takeObject(object, track, subscribed.hasClock ? subscribed.serverNow() : null),
        onState: (state) => {
          if (state === 'ended') {
            subscribed.close();
          }
        },
        onEnd: (error) => done(isEndOfStream(error) && viewer.statistics.frames > 0 ? null : error),
      });
      subscriber = subscribed;
    },
  );
}

function isEndOfStream(error: Error | null): boolean {
  return error instanceof ProtocolError && error.code === 'ended';
}

/** Runs until `begin` calls done; `leave` is called after `seconds` or on Ctrl-C. */
async function untilDone(
  seconds: number | undefined,
  leave: () => void,
  begin: (done: (error: Error | null) => void) => void,
): Promise<void> {
  const timer = seconds === undefined ? undefined : setTimeout(leave, seconds * 1000);
  process.once('SIGINT', leave);
  try {
    await new Promise<void>((resolve, reject) => {
      begin((error) => (error === null ? resolve() : reject(error)));
    });
  } finally {
    clearTimeout(timer);
    process.removeListener('SIGINT', leave);
  }
}

function sentenceOf({ joinMs, frames, fps, drops, stalls, bitrateKbps, latencyMs }: WatchSummary): string {
  const latency =
    latencyMs.p50 === null ? '' : `, ${latencyMs.kind} latency p50 ${latencyMs.p50} ms, p99 ${latencyMs.p99} ms`;
  return `joined in ${joinMs} ms; ${frames} frames, ${fps} fps, ${bitrateKbps} kbit/s, ${drops} dropped, ${stalls} stalls${latency}`;
}
