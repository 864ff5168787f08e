// What a WebSocket publisher announced, and its objects as access units. Everything it says is checked here, before it reaches
// the stream.

import { ProtocolError } from '../../../shared/errors.ts';
import type { AccessUnit, TrackConfig } from '../../../shared/media/access-unit.ts';
import { i420ByteLength } from '../../../shared/media/frame.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { OBJECT_HEADER_BYTES } from '../../../shared/protocol/subprotocol.ts';
import type { WireObject } from '../../../shared/protocol/object-header.ts';
import { RAW_CODEC } from '../../../shared/protocol/track-message.ts';

/** Codecs that may be passed through; who can decode them is the viewers' matter. */
const VIDEO_CODEC = /^(avc1|avc3|hvc1|hev1)\.[0-9A-Za-z.]{1,40}$|^(av01|vp09)\.[0-9A-Za-z.]{1,40}$|^vp8$/;
const AUDIO_CODEC = /^mp4a\.40\.\d{1,2}$|^(opus|mp3|flac|ac-3|ec-3)$/;
const NEEDS_RECORD = /^(avc1|avc3|hvc1|hev1|mp4a)/;
/** Capture times outside this span around now come from a clock that was never synchronised, and are left out. */
const OLDEST_CAPTURE_US = 60_000_000;
const NEWEST_CAPTURE_US = 1_000_000;

type Announced = { readonly name: string; readonly config: TrackConfig };

export class PublisherTracks {
  private readonly maxMessageBytes: number;
  private readonly byId = new Map<number, Announced>();

  constructor(maxMessageBytes: number) {
    this.maxMessageBytes = maxMessageBytes;
  }

  /** Checks an announcement. Throws ProtocolError: unsupported-codec, malformed, too-big. */
  announce(id: number, name: string, config: TrackConfig): void {
    const isRaw = config.kind === 'video' && config.codec === RAW_CODEC;
    const isKnown = isRaw || (config.kind === 'video' ? VIDEO_CODEC : AUDIO_CODEC).test(config.codec);
    if (!isKnown) {
      throw new ProtocolError('unsupported-codec', `The codec ${config.codec} is not taken.`);
    }
    if (NEEDS_RECORD.test(config.codec) && config.description === undefined) {
      throw new ProtocolError('malformed', `A track of ${config.codec} needs its configuration record.`);
    }
    if (isRaw && i420ByteLength(config.width, config.height) + OBJECT_HEADER_BYTES > this.maxMessageBytes) {
      throw new ProtocolError('too-big', `A picture of ${config.width}x${config.height} is beyond the message limit.`);
    }
    this.byId.set(id, { name, config });
  }

  /**
   * The track's name and the unit; `clockOffMs`: its capture time was left out, because it is that far ahead of our clock. Throws
   * ProtocolError `malformed`.
   */
  unitOf(
    object: WireObject,
    arrivalUs: number,
  ): { readonly name: string; readonly unit: AccessUnit; readonly clockOffMs: number | null } {
    const track = this.byId.get(object.trackId);
    if (track === undefined) {
      throw new ProtocolError('malformed', `Track ${object.trackId} was never announced.`);
    }
    const { name, config } = track;
    const isRaw = config.codec === RAW_CODEC;
    if (object.kind !== (isRaw ? 'raw' : config.kind)) {
      throw new ProtocolError('malformed', `Track ${object.trackId} carries no ${object.kind} objects.`);
    }
    if (config.kind === 'video' && isRaw && object.payload.length !== i420ByteLength(config.width, config.height)) {
      throw new ProtocolError(
        'malformed',
        `A picture of ${config.width}x${config.height} has ${i420ByteLength(config.width, config.height)} bytes, got ${object.payload.length}.`,
      );
    }
    if (object.payload.length === 0) {
      throw new ProtocolError('malformed', 'An object has no payload.');
    }
    const unit = unitOf(object, isRaw, arrivalUs);
    const isOff = object.captureTime !== undefined && unit.captureTime === undefined;
    return { name, unit, clockOffMs: isOff ? ((object.captureTime ?? 0) - arrivalUs) / 1000 : null };
  }
}

function unitOf(object: WireObject, isRaw: boolean, arrivalUs: number): AccessUnit {
  const ageUs = object.captureTime === undefined ? Number.NaN : arrivalUs - object.captureTime;
  const isCredible = ageUs <= OLDEST_CAPTURE_US && ageUs >= -NEWEST_CAPTURE_US;
  return {
    priority: isRaw ? 'key' : object.priority,
    pts: object.pts,
    dts: object.dts,
    data: object.payload,
    arrivalTime: microseconds(arrivalUs),
    ...(object.temporalLayer === 0 ? {} : { temporalLayer: object.temporalLayer }),
    ...(isCredible && object.captureTime !== undefined ? { captureTime: object.captureTime } : {}),
  };
}
