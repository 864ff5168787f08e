// What `tessera publish` reads from a file: tracks, access units, whole FLV tags or raw pictures, in decoding order, with times from
// the file. One implementation per kind of file in this folder.

import type { FlvTag } from '../../../shared/containers/flv/flv-tag.ts';
import type { AccessUnit, TrackConfig } from '../../../shared/media/access-unit.ts';
import type { I420Frame } from '../../../shared/media/frame.ts';
import type { Microseconds } from '../../../shared/media/time.ts';

export type SourceTrackName = 'video' | 'audio';

export type SourceEvent =
  /** A track or a change of it; comes before its units. */
  | { readonly kind: 'track'; readonly name: SourceTrackName; readonly config: TrackConfig }
  | { readonly kind: 'unit'; readonly name: SourceTrackName; readonly unit: AccessUnit }
  /** A tag exactly as it is in the file, for RTMP. `name` is null for script tags and headers, which need no pacing. */
  | {
      readonly kind: 'tag';
      readonly name: SourceTrackName | null;
      readonly tag: FlvTag;
      readonly dts: Microseconds;
    }
  /** A picture; whoever takes it closes it. */
  | { readonly kind: 'frame'; readonly frame: I420Frame };

/** A file that can be read from its start as often as needed. */
export interface MediaSource {
  /** Reads the file once. Throws ContainerError, BitstreamError or ProtocolError `unsupported-codec` with one sentence. */
  events(): AsyncIterable<SourceEvent>;
}

/** A source of pictures, at a frame rate that is known once the first came. */
export interface PictureSource extends MediaSource {
  readonly framerate: { readonly numerator: number; readonly denominator: number };
}

/** True for a source of pictures. */
export function isPictureSource(source: MediaSource): source is PictureSource {
  return 'framerate' in source;
}

/** Time of an event that has one: decoding time, or presentation time of a picture. */
export function timeOf(event: SourceEvent): Microseconds | null {
  switch (event.kind) {
    case 'track':
      return null;
    case 'unit':
      return event.unit.dts;
    case 'tag':
      return event.name === null ? null : event.dts;
    case 'frame':
      return event.frame.timestamp;
  }
}
