// The role of a picture encoder in the studio: VideoFrames in, access units out. Implemented by our encoder
// (tessera-frame-encoder.ts) and by the browser's (webcodecs-frame-encoder.ts).

import type { VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { EncoderChoice } from './encode-messages.ts';

/** One access unit, length-prefixed. */
type EncodedUnit = { readonly isKey: boolean; readonly ptsUs: number; readonly data: Uint8Array };

/** What a frame is encoded with. */
export type FrameOptions = {
  /** Time on the stream's timeline, microseconds. */
  readonly ptsUs: number;
  /** Server's epoch microseconds, where it is known. */
  readonly captureTimeUs: number | null;
  readonly isKeyWanted: boolean;
};

/** What the owner is told; `onConfig` comes before the first unit of each configuration. */
export type FrameEncoderEvents = {
  readonly onConfig: (config: VideoTrackConfig) => void;
  readonly onUnit: (unit: EncodedUnit) => void;
  readonly onError: (sentence: string) => void;
};

/** Size and rate of what is encoded. */
export type FrameFormat = { readonly width: number; readonly height: number; readonly fps: number };

export interface FrameEncoder {
  readonly kind: EncoderChoice;
  /** Starts anew; the next unit is a key picture. */
  configure(format: FrameFormat, kbps: number): void;
  /** A new target; the stream of pictures goes on. */
  setBitrate(kbps: number): void;
  /** Encodes; the frame stays the caller's. Resolves when the encoder can take the next. */
  encode(frame: VideoFrame, options: FrameOptions): Promise<void>;
  close(): void;
}

/** RFC 6381 string of an AVCDecoderConfigurationRecord. */
export function avcCodecString(description: Uint8Array): string {
  const hex = [...description.subarray(1, 4)].map((byte) => byte.toString(16).padStart(2, '0'));
  return `avc1.${hex.join('')}`;
}
