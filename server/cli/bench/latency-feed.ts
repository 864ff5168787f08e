// The publisher of the latency bench: 1280x720 at 30 pictures/s with the capture time of each picture, either raw, drawn as it goes, or
// H.264 that was coded beforehand, so that the publisher itself costs nothing.

import { BT709_LIMITED } from '../../../shared/media/colour.ts';
import { packedI420 } from '../../../shared/media/frame.ts';
import { microseconds, type Microseconds } from '../../../shared/media/time.ts';
import { RAW_CODEC } from '../../../shared/protocol/track-message.ts';
import { DemoPicture } from '../../demo/demo-picture.ts';
import { WebSocketPublisher } from '../clients/websocket-publisher.ts';
import { FrameEncoder } from '../publish/frame-encoder.ts';
import type { SourceEvent } from '../publish/media-source.ts';

const SIZE = { width: 1280, height: 720 } as const;
const FPS = 30;
const GROUP = 60;
const CODED_PICTURES = 240; // a whole number of groups
const KBPS = 2500;

export type FeedKind = 'h264' | 'raw';

type CodedUnit = Extract<SourceEvent, { kind: 'unit' }>['unit'];
type Draw = (index: number) => (publisher: WebSocketPublisher, pts: Microseconds) => void;

/** Runs from start() to stop(). */
export class LatencyFeed {
  readonly #publisher: WebSocketPublisher;
  readonly #send: Draw;
  readonly #startedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #next = 0;

  private constructor(publisher: WebSocketPublisher, send: Draw) {
    this.#publisher = publisher;
    this.#send = send;
    this.#schedule();
  }

  /** Connects to `/publish/STREAM` and sends in real time. */
  static async start(kind: FeedKind, url: string, key: string): Promise<LatencyFeed> {
    const coded = kind === 'h264' ? codeAhead() : [];
    const publisher = await WebSocketPublisher.connect({ url, key });
    if (kind === 'raw') {
      return new LatencyFeed(publisher, rawPictures(publisher));
    }
    const units: CodedUnit[] = [];
    for (const event of coded) {
      if (event.kind === 'track') {
        publisher.setTrack('video', event.config);
      } else if (event.kind === 'unit') {
        units.push(event.unit);
      }
    }
    return new LatencyFeed(publisher, (index) => (to, pts) => {
      const unit = units[index % units.length];
      if (unit !== undefined) {
        to.push('video', { ...unit, pts, dts: pts, captureTime: to.now() });
      }
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#publisher.destroy();
  }

  #schedule(): void {
    const dueAt = this.#startedAt + (this.#next * 1000) / FPS;
    this.#timer = setTimeout(
      () => {
        const pts = microseconds(Math.round((this.#next * 1_000_000) / FPS));
        this.#send(this.#next)(this.#publisher, pts);
        this.#next += 1;
        this.#schedule();
      },
      Math.max(0, dueAt - performance.now()),
    );
  }
}

function rawPictures(publisher: WebSocketPublisher): Draw {
  const picture = new DemoPicture(SIZE.width, SIZE.height);
  publisher.setTrack('video', {
    kind: 'video',
    codec: RAW_CODEC,
    ...SIZE,
    sampleAspect: [1, 1],
    colour: BT709_LIMITED,
    fps: FPS,
  });
  return (index) => (to, pts) => {
    const drawn = picture.draw(index / FPS, 0);
    to.pushFrame(packedI420(drawn, SIZE, { timestamp: pts, colour: BT709_LIMITED })); // captured now
  };
}

/** The demo picture as access units of our encoder, closed groups of two seconds. */
function codeAhead(): readonly SourceEvent[] {
  const picture = new DemoPicture(SIZE.width, SIZE.height);
  const encoder = new FrameEncoder({ framerate: { numerator: FPS, denominator: 1 }, kbps: KBPS });
  return Array.from({ length: CODED_PICTURES }, (_, index) => {
    const bytes = picture.draw(index / FPS, 0);
    const frame = packedI420(bytes, SIZE, {
      timestamp: microseconds(Math.round((index * 1_000_000) / FPS)),
      colour: BT709_LIMITED,
    });
    return encoder.encode(frame, { captureTime: microseconds(0), isKeyframe: index % GROUP === 0 });
  }).flat();
}
