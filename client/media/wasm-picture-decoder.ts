// Our own H.264 decoder behind the PictureDecoder role. Decoding is synchronous; between pictures the worker gets to its other work
// (receiving, painting). Loaded only where it is needed. The bound on waiting units is the pipeline's.

import type { VideoTrackConfig } from '../../shared/media/access-unit.ts';
import { i420ByteLength, type I420Frame, type Plane } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';
import { H264Decoder, type DecoderTrace } from '../../shared/codec/h264/decoder.ts';
import { inspectPicture, type PictureInspection } from '../../shared/codec/h264/decoder/inspection.ts';
import type { PictureBuffers } from './picture.ts';
import type { EncodedPicture, PictureDecoder, PictureDecoderEvents } from './picture-decoder.ts';

const BUDGET_MS = 500;
/** Inspections of pictures that have not come out yet; more than any stream reorders. */
const MAX_INSPECTIONS = 32;
const FRAME = 3;
const UNSPECIFIED = 2;

function copyPlane(plane: Plane, target: Uint8Array): void {
  const { data, stride, width, height } = plane;
  if (stride === width) {
    target.set(data.subarray(0, width * height));
    return;
  }
  for (let row = 0; row < height; row += 1) {
    target.set(data.subarray(row * stride, row * stride + width), row * width);
  }
}

/** Tightly packed I420 in a buffer of its own. */
function copyFrame(frame: I420Frame, buffers: PictureBuffers): ArrayBuffer {
  const buffer = buffers.take(i420ByteLength(frame.width, frame.height));
  const luma = frame.width * frame.height;
  const chroma = frame.u.width * frame.u.height;
  copyPlane(frame.y, new Uint8Array(buffer, 0, luma));
  copyPlane(frame.u, new Uint8Array(buffer, luma, chroma));
  copyPlane(frame.v, new Uint8Array(buffer, luma + chroma, chroma));
  return buffer;
}

/** H264Decoder as a PictureDecoder. */
export class WasmPictureDecoder implements PictureDecoder {
  readonly kind = 'wasm';
  readonly #events: PictureDecoderEvents;
  readonly #buffers: PictureBuffers;
  readonly #turn = new MessageChannel();
  #decoder: H264Decoder | null = null;
  #config: VideoTrackConfig | null = null;
  #waiting: EncodedPicture[] = [];
  #undelivered = 0;
  readonly #inspections: Map<number, PictureInspection> | null;
  #isFlushWanted = false;
  #isTurnComing = false;

  /** With `inspect` every picture comes with how it was coded. */
  constructor(buffers: PictureBuffers, events: PictureDecoderEvents, inspect = false) {
    this.#inspections = inspect ? new Map() : null;
    this.#buffers = buffers;
    this.#events = events;
    this.#turn.port1.onmessage = () => this.#decodeNext();
  }

  get pending(): number {
    return this.#waiting.length + this.#undelivered;
  }

  configure(config: VideoTrackConfig): void {
    this.#decoder?.close();
    this.#waiting = [];
    this.#undelivered = 0;
    this.#config = config;
    this.#inspections?.clear();
    this.#decoder = new H264Decoder(
      {
        output: (frame) => this.#onFrame(frame),
        error: ({ code }) => this.#events.onError(`The picture is damaged (${code}).`, false),
      },
      this.#trace(),
    );
    this.#decoder.configure({
      format: config.description === undefined ? 'annexb' : 'avc',
      ...(config.description === undefined ? {} : { description: config.description }),
      lowDelay: true,
      budgetMs: BUDGET_MS,
    });
  }

  decode(unit: EncodedPicture): void {
    this.#waiting.push(unit);
    this.#requestTurn();
  }

  flush(): void {
    this.#isFlushWanted = true;
    this.#requestTurn();
  }

  close(): void {
    this.#decoder?.close();
    this.#decoder = null;
    this.#waiting = [];
    this.#undelivered = 0;
    this.#turn.port1.close();
  }

  #trace(): DecoderTrace | null {
    const inspections = this.#inspections;
    if (inspections === null) {
      return null;
    }
    return {
      picture: ({ sequence }, picture) => {
        if (picture.decoded !== FRAME) {
          return; // its second field is still to come
        }
        inspections.set(picture.timestamp, inspectPicture(sequence.state, sequence.size));
        const [oldest] = inspections.keys();
        if (inspections.size > MAX_INSPECTIONS && oldest !== undefined) {
          inspections.delete(oldest);
        }
      },
    };
  }

  #requestTurn(): void {
    if (!this.#isTurnComing) {
      this.#isTurnComing = true;
      this.#turn.port2.postMessage(null);
    }
  }

  #decodeNext(): void {
    this.#isTurnComing = false;
    const decoder = this.#decoder;
    if (decoder === null) {
      return;
    }
    const unit = this.#waiting.shift();
    if (unit !== undefined) {
      this.#undelivered += 1;
      decoder.decode({ type: unit.isKey ? 'key' : 'delta', timestamp: microseconds(unit.ptsUs), data: unit.data });
    } else if (this.#isFlushWanted) {
      this.#isFlushWanted = false;
      decoder.flush();
      this.#undelivered = 0;
    }
    if (this.#waiting.length > 0 || this.#isFlushWanted) {
      this.#requestTurn();
    }
  }

  #onFrame(frame: I420Frame): void {
    this.#undelivered = Math.max(0, this.#undelivered - 1);
    const { timestamp, width, height, sampleAspect } = frame;
    if (!this.#events.wants(timestamp)) {
      frame.close();
      this.#events.onSkipped(timestamp);
      return;
    }
    const buffer = copyFrame(frame, this.#buffers);
    const announced = this.#config?.colour;
    const colour =
      frame.colour.matrix_coefficients === UNSPECIFIED && announced !== undefined ? announced : frame.colour;
    frame.close();
    const inspection = this.#inspections?.get(timestamp);
    this.#inspections?.delete(timestamp);
    const picture = { ptsUs: timestamp, width, height, sampleAspect, colour, buffer };
    this.#events.onPicture(inspection === undefined ? picture : { ...picture, inspection });
  }
}
