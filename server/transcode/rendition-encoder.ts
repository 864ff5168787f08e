// One rendition inside the worker: thins out the frame rate, scales, encodes, and turns key-frame requests into at most one IDR
// picture per two seconds. Called by rendition-team.ts or rendition-thread.ts for every picture of the source.

import type { AccessUnit, Priority, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { I420Frame } from '../../shared/media/frame.ts';
import { microseconds, type Microseconds } from '../../shared/media/time.ts';
import type { EncoderChunkMetadata, EncodedChunk } from '../../shared/codec/h264/codec-types.ts';
import type { EncodeStats, RenditionDescription } from '../streams/roles.ts';
import type { CodecSet, PictureEncoder, PictureScaler } from './codec-set.ts';
import { sizeForPicture } from './rendition-ladder.ts';

/** What a picture brings along from its access unit. */
export type PictureTimes = {
  readonly captureTime?: Microseconds;
  readonly arrivalTime: Microseconds;
  /** What happened to it before it was encoded, ms. */
  readonly queueMs?: number;
  readonly decodeMs?: number;
};

/** One picture of the source, for every rendition. */
export type PictureOrder = {
  readonly times: PictureTimes;
  /** Every rendition opens a group with it. */
  readonly startsGroup: boolean;
  /** Measured frame rate of the source. */
  readonly sourceFps: number;
};

export type RenditionOutput = {
  readonly onConfig: (config: VideoTrackConfig) => void;
  /** The unit's data has a buffer of its own. */
  readonly onUnit: (unit: AccessUnit, stats: EncodeStats) => void;
};

/** Requests for key frames are granted once per this time of the stream. */
const KEYFRAME_REQUEST_INTERVAL_US = 2_000_000;

type Shape = { readonly width: number; readonly height: number };

export class RenditionEncoder {
  readonly description: RenditionDescription;
  private readonly codecs: CodecSet;
  private readonly output: RenditionOutput;
  private readonly now: () => number;
  private encoder: PictureEncoder | null = null;
  private scaler: PictureScaler | null = null;
  private shape: Shape = { width: 0, height: 0 };
  private sourceShape = '';
  private fps = 0;
  private current: PictureTimes = { arrivalTime: microseconds(0) };
  private startedAt = 0;
  private scaleMs = 0;
  private nextPtsUs = -Infinity;
  private lastIdrPtsUs = -Infinity;
  private isKeyframeWanted = false;

  constructor(description: RenditionDescription, codecs: CodecSet, output: RenditionOutput, now: () => number) {
    this.description = description;
    this.codecs = codecs;
    this.output = output;
    this.now = now;
  }

  /** Size of the pictures that come out, for the cost model. */
  get size(): Shape {
    return this.shape;
  }

  /** The next picture that may be an IDR picture becomes one. */
  requestKeyframe(): void {
    this.isKeyframeWanted = true;
  }

  /** Encodes the picture, or leaves it out when the rendition has fewer frames per second than the source: then returns false. */
  encode(frame: I420Frame, { times, startsGroup, sourceFps }: PictureOrder): boolean {
    if (!startsGroup && !this.isOnCadence(frame.timestamp, sourceFps)) {
      return false;
    }
    this.startedAt = this.now();
    const wasNew = this.prepare(frame, Math.min(this.description.fps, sourceFps));
    const keyFrame = startsGroup || wasNew || this.grantsRequest(frame.timestamp);
    if (keyFrame) {
      this.lastIdrPtsUs = frame.timestamp;
      this.isKeyframeWanted = false;
    }
    this.current = times;
    const scalingAt = this.now();
    const picture = this.scaler === null ? frame : this.scaler.scale(frame);
    this.scaleMs = this.now() - scalingAt;
    this.encoder?.encode(picture, {
      keyFrame,
      ...(times.captureTime === undefined ? {} : { captureTime: times.captureTime }),
    });
    return true;
  }

  close(): void {
    this.encoder?.close();
    this.encoder = null;
  }

  private grantsRequest(ptsUs: number): boolean {
    return this.isKeyframeWanted && Math.abs(ptsUs - this.lastIdrPtsUs) >= KEYFRAME_REQUEST_INTERVAL_US;
  }

  /** Whether the picture is due at the rendition's frame rate: a time line with steps of 1 / fps, moved along after pauses. */
  private isOnCadence(ptsUs: number, sourceFps: number): boolean {
    if (this.description.fps >= sourceFps * 0.95) {
      return true;
    }
    const step = 1_000_000 / this.description.fps;
    const halfSourceFrame = 500_000 / sourceFps;
    if (ptsUs < this.nextPtsUs - halfSourceFrame && ptsUs > this.nextPtsUs - 2 * step) {
      return false;
    }
    this.nextPtsUs = Math.abs(ptsUs - this.nextPtsUs) > 2 * step ? ptsUs + step : this.nextPtsUs + step;
    return true;
  }

  /** Makes the encoder for the first picture and after a change of the source's size or colour. */
  private prepare(frame: I420Frame, fps: number): boolean {
    const sourceShape = `${frame.width}x${frame.height} ${frame.sampleAspect.join(':')} ${JSON.stringify(frame.colour)}`;
    if (this.encoder !== null && sourceShape === this.sourceShape) {
      return false;
    }
    this.close();
    this.sourceShape = sourceShape;
    this.fps = fps;
    this.shape = sizeForPicture(this.description, frame);
    const { width, height } = this.shape;
    this.scaler = width === frame.width && height === frame.height ? null : this.codecs.createScaler({ width, height });
    this.encoder = this.codecs.createEncoder(
      { output: (chunk, metadata) => this.emit(chunk, metadata, frame) },
      {
        width,
        height,
        framerate: { numerator: Math.round(fps * 1000), denominator: 1000 },
        rateControl: { kind: 'bitrate', kbps: this.description.kbps, bufferMs: 1000 },
        preset: 'fast',
        keyint: 'infinite', // groups are decided here, for all renditions together
        format: 'avc',
        colour: frame.colour,
        sampleAspect: frame.sampleAspect,
      },
    );
    return true;
  }

  private emit(chunk: EncodedChunk, metadata: EncoderChunkMetadata, first: I420Frame): void {
    if (metadata.description !== undefined) {
      this.output.onConfig({
        kind: 'video',
        codec: codecString(metadata.description),
        description: metadata.description,
        width: this.shape.width,
        height: this.shape.height,
        sampleAspect: first.sampleAspect,
        colour: first.colour,
        fps: this.fps,
      });
    }
    const { captureTime, arrivalTime, queueMs, decodeMs } = this.current;
    const priority: Priority = chunk.type === 'key' ? 'key' : metadata.isReference ? 'reference' : 'discardable';
    this.output.onUnit(
      {
        priority,
        pts: chunk.timestamp,
        dts: chunk.timestamp,
        data: ownBytes(chunk.data),
        arrivalTime,
        ...(captureTime === undefined ? {} : { captureTime }),
      },
      {
        encodeMs: this.now() - this.startedAt,
        qp: metadata.qp,
        scaleMs: this.scaleMs,
        ...(queueMs === undefined ? {} : { queueMs }),
        ...(decodeMs === undefined ? {} : { decodeMs }),
      },
    );
  }
}

/** The bytes in a buffer of their own, which can be transferred to another thread. */
function ownBytes(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = data;
  return buffer instanceof ArrayBuffer && buffer.byteLength === data.byteLength ? new Uint8Array(buffer) : data.slice();
}

/** RFC 6381 string from the three bytes after the version of an AVCDecoderConfigurationRecord. */
function codecString(description: Uint8Array): string {
  return `avc1.${Buffer.from(description.subarray(1, 4)).toString('hex')}`;
}
