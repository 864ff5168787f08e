// How a track's units and configurations become bytes for one kind of viewer: objects of `tessera.1`, or FLV tags (flv-format.ts).

import type { AccessUnit, EncodedBy, TrackConfig } from '../../shared/media/access-unit.ts';
import { microseconds, type Microseconds } from '../../shared/media/time.ts';
import { encodeControl } from '../../shared/protocol/control-message.ts';
import { encodeObject } from '../../shared/protocol/object-header.ts';
import { trackConfigToWire } from '../../shared/protocol/track-message.ts';
import type { ToViewer } from '../../shared/protocol/viewer-messages.ts';
import { viewerState } from '../streams/stream-state.ts';
import type { Stream } from '../streams/stream.ts';
import { webSocketFraming, type ControlItem, type Framing, type MediaItem } from './item.ts';

/** A track as viewers are told of it. */
export type TrackLabel = {
  readonly id: number;
  readonly kind: 'video' | 'audio';
  /** `source`, `audio`, or the rendition's name. */
  readonly name: string;
  readonly encoder: EncodedBy;
  readonly latencyKind: 'glass' | 'ingest';
  readonly config: TrackConfig;
};

/** Where a unit stands in its track. */
export type Place = { readonly group: number; readonly object: number; readonly isCached: boolean };

export interface WireFormat {
  readonly name: string;
  readonly framing: Framing;
  /** Cached audio is wanted too (FLV players start at the group's key unit, not at the live edge). */
  readonly wantsCachedAudio: boolean;
  /** Whether viewers of this format can play such a track. */
  carries(config: TrackConfig): boolean;
  /** First bytes of every viewer, before anything else. */
  opening(labels: readonly TrackLabel[]): readonly ControlItem[];
  /** A track's configuration, at the start and on each change. `timestampMs`: where the stream is, on its timeline. */
  config(label: TrackLabel, timestampMs: number): readonly ControlItem[];
  /** State, epoch or number of viewers changed. */
  state(stream: Stream): readonly ControlItem[];
  /** Null for units that this format cannot carry. */
  unit(label: TrackLabel, unit: AccessUnit, place: Place): MediaItem | null;
}

/** The wire has whole microseconds; an encoder's clock may have fractions. */
const whole = (time: Microseconds): Microseconds => microseconds(Math.round(time));

/** What viewers are told of a stream's state. */
export function stateMessage(stream: Stream): ToViewer {
  return { type: 'state', state: viewerState(stream.state), epoch: stream.epoch, viewers: stream.viewers };
}

/** `tessera.1`, docs/protocol.md. */
export const tesseraFormat: WireFormat = {
  name: 'tessera.1',
  framing: webSocketFraming,
  wantsCachedAudio: false,
  carries: () => true,
  opening: () => [],
  config: (label) => {
    const { id, kind, name, encoder, latencyKind, config } = label;
    const message: ToViewer = {
      type: 'track',
      id,
      name: kind,
      kind,
      rendition: name,
      encoder,
      latencyKind,
      config: trackConfigToWire(config),
    };
    return [{ kind: 'control', content: encodeControl(message) }];
  },
  state: (stream) => [{ kind: 'control', content: encodeControl(stateMessage(stream)) }],
  unit: ({ id, kind }, unit, place) => ({
    kind,
    priority: unit.priority,
    bytes: encodeObject(
      {
        kind,
        trackId: id,
        priority: unit.priority,
        temporalLayer: unit.temporalLayer ?? 0,
        pts: whole(unit.pts),
        dts: whole(unit.dts),
        arrivalTime: whole(unit.arrivalTime),
        ...(unit.captureTime === undefined ? {} : { captureTime: whole(unit.captureTime) }),
        ...place,
      },
      unit.data,
    ),
  }),
};
