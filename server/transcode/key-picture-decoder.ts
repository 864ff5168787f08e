// The worker's side of the key picture probe: decodes single key pictures of many streams and says what they look like. Each stands
// alone, so streams with the same parameter sets share a decoder, and one that is made anew loses nothing. Called by transcode-worker.ts.

import type { AccessUnit, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import { PictureMeter, type PictureFacts } from '../../shared/pixels/picture-meter.ts';
import type { PictureDecoder } from './codec-set.ts';
import type { PipelineHost } from './source-pipeline.ts';
import type { KeyPicture, MeasuredPicture } from './worker-messages.ts';

const MAX_DECODERS = 6;
const MAX_STREAMS = 1000;

type Host = Pick<PipelineHost, 'codecs' | 'cpuNow' | 'onPhase' | 'decodeBudgetMs'>;
/** A decoder, and who looks at what comes out of it now; null: nobody. */
type Looker = { readonly decoder: PictureDecoder; meter: PictureMeter | null; facts: PictureFacts | null };
type Seen = { readonly meter: PictureMeter; lastUs: number | null };

export class KeyPictureDecoder {
  private readonly host: Host;
  private readonly lookers = new Map<string, Looker>();
  private readonly seen = new Map<string, Seen>();

  constructor(host: Host) {
    this.host = host;
  }

  /** What the last picture looks like, and the most that moved from one of the looked-at pictures to the next. */
  measure(key: KeyPicture): { readonly picture: MeasuredPicture | null; readonly cpuMs: number } {
    const { cpuNow } = this.host;
    const startedAt = cpuNow();
    const seen = this.seenOf(key.stream);
    const looker = this.lookerFor(key.config);
    const first = this.look(looker, 'key', key.unit, seen.meter);
    const last = key.following.reduce<PictureFacts | null>((facts, unit, i) => {
      const isLast = i === key.following.length - 1;
      return this.look(looker, 'delta', unit, isLast ? seen.meter : null) ?? facts;
    }, null);
    const cpuMs = cpuNow() - startedAt;
    if (first === null) {
      return { picture: null, cpuMs };
    }
    const unit = (last === null ? null : key.following.at(-1)) ?? key.unit;
    const sinceUs = seen.lastUs === null ? null : unit.pts - seen.lastUs;
    seen.lastUs = unit.pts;
    const sinceMs = sinceUs === null || sinceUs < 0 ? null : sinceUs / 1000;
    const moved = first.moved === null ? null : Math.max(first.moved, last?.moved ?? 0);
    return { picture: { ...(last ?? first), moved, sinceMs, arrivalTime: unit.arrivalTime }, cpuMs };
  }

  close(): void {
    for (const { decoder } of this.lookers.values()) {
      decoder.close();
    }
    this.lookers.clear();
    this.seen.clear();
  }

  private look(
    looker: Looker,
    type: 'key' | 'delta',
    unit: AccessUnit,
    meter: PictureMeter | null,
  ): PictureFacts | null {
    const { onPhase } = this.host;
    looker.facts = null;
    looker.meter = meter;
    onPhase('decoding');
    looker.decoder.decode({ type, timestamp: unit.pts, data: unit.data });
    onPhase('idle');
    return looker.facts;
  }

  private seenOf(stream: string): Seen {
    const seen = this.seen.get(stream) ?? { meter: new PictureMeter(), lastUs: null };
    this.seen.delete(stream);
    this.seen.set(stream, seen);
    dropOldest(this.seen, MAX_STREAMS);
    return seen;
  }

  private lookerFor({ width, height, description }: VideoTrackConfig): Looker {
    const name = `${width}x${height} ${Buffer.from(description ?? []).toString('base64')}`;
    const looker = this.lookers.get(name) ?? this.createLooker(description);
    this.lookers.delete(name);
    this.lookers.set(name, looker);
    dropOldest(this.lookers, MAX_DECODERS)?.decoder.close();
    return looker;
  }

  private createLooker(description: Uint8Array | undefined): Looker {
    const { codecs, decodeBudgetMs: budgetMs } = this.host;
    const decoder = codecs.createDecoder(
      {
        output: (frame) => {
          looker.facts = looker.meter?.measure(frame.y) ?? looker.facts;
          frame.close();
        },
        error: () => undefined, // a damaged picture is concealed; what health needs of it is the same
      },
      { format: 'avc', lowDelay: true, budgetMs, ...(description === undefined ? {} : { description }) },
    );
    const looker: Looker = { decoder, meter: null, facts: null };
    return looker;
  }
}

/** Takes the entry unheard for longest out of a map that has outgrown its bound. */
function dropOldest<Value>(map: Map<string, Value>, max: number): Value | undefined {
  if (map.size <= max) {
    return undefined;
  }
  const [oldest] = map.entries();
  if (oldest === undefined) {
    return undefined;
  }
  map.delete(oldest[0]);
  return oldest[1];
}
