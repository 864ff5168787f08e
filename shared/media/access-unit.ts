// What travels through the system: one access unit (video) or one audio frame, and the description of its track.

import type { ColourDescription } from './colour.ts';
import type { Microseconds } from './time.ts';

/** Importance for drop policies: key opens a group, discardable is referenced by nothing. */
export type Priority = 'key' | 'reference' | 'discardable';

/** One access unit or audio frame. `data` is never changed after creation; whoever needs it longer keeps the reference. */
export type AccessUnit = {
  readonly priority: Priority;
  /** Presentation time on the stream's timeline. */
  readonly pts: Microseconds;
  /** Decoding time; equals `pts` when nothing is reordered. Monotonic per track. */
  readonly dts: Microseconds;
  /** Length-prefixed NAL units for H.264 and HEVC (the prefix size is in the track's description), raw frames else. */
  readonly data: Uint8Array;
  /** 0 (the default) is the base; units of a layer refer to their own and lower layers only. */
  readonly temporalLayer?: number;
  /** When the picture was captured, on the server's wall clock (Unix epoch microseconds); absent for RTMP. */
  readonly captureTime?: Microseconds;
  /** When the first byte reached the server, on its wall clock (Unix epoch microseconds). */
  readonly arrivalTime: Microseconds;
};

export type VideoTrackConfig = {
  readonly kind: 'video';
  /** RFC 6381 string as WebCodecs takes it, for example `avc1.64001f`. */
  readonly codec: string;
  /** Codec configuration record (`avcC` for H.264). Absent where the codec needs none. */
  readonly description?: Uint8Array;
  /** Size after cropping, in samples. */
  readonly width: number;
  readonly height: number;
  readonly sampleAspect: readonly [number, number];
  readonly colour: ColourDescription;
  /** Frames per second where the publisher said so. */
  readonly fps?: number;
};

export type AudioTrackConfig = {
  readonly kind: 'audio';
  /** `mp4a.40.2`, `opus`, ... */
  readonly codec: string;
  /** AudioSpecificConfig for AAC, OpusHead for Opus. */
  readonly description?: Uint8Array;
  readonly sampleRate: number;
  readonly channels: number;
};

export type TrackConfig = VideoTrackConfig | AudioTrackConfig;

/** Who encoded the picture of a video track. */
export type EncodedBy = 'publisher' | 'tessera';
