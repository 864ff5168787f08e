// FLV as a wire format: file header, onMetaData and sequence headers for each viewer, one tag per unit for all of them.

import type { TrackConfig } from '../../shared/media/access-unit.ts';
import { flvCodecOf, flvMetaDataTag, flvSequenceTag, flvUnitTag } from '../../shared/containers/flv/flv-muxer.ts';
import { writeFlvFileHeader, writeFlvTag } from '../../shared/containers/flv/flv-tag.ts';
import { plainFraming, webSocketFraming, type ControlItem, type Framing } from './item.ts';
import type { WireFormat } from './wire-format.ts';

const control = (content: Uint8Array): ControlItem => ({ kind: 'control', content });

/** Opus has a place in Enhanced RTMP, but the players that FLV is for do not take it. */
const carries = (config: TrackConfig): boolean => flvCodecOf(config) !== null && config.codec !== 'opus';

function createFlvFormat(name: string, framing: Framing): WireFormat {
  return {
    name,
    framing,
    wantsCachedAudio: true,
    carries,
    opening: (labels) => {
      const carried = labels.filter(({ config }) => carries(config));
      const has = (kind: 'video' | 'audio'): boolean => carried.some((label) => label.kind === kind);
      return [
        control(writeFlvFileHeader({ audio: has('audio'), video: has('video') })),
        control(writeFlvTag(flvMetaDataTag(carried.map(({ config }) => config)))),
      ];
    },
    config: ({ config }, timestampMs) => {
      const tag = carries(config) ? flvSequenceTag(config, Math.floor(timestampMs) >>> 0) : null;
      return tag === null ? [] : [control(writeFlvTag(tag))];
    },
    state: () => [],
    unit: ({ kind, config }, unit) =>
      carries(config) ? { kind, priority: unit.priority, bytes: writeFlvTag(flvUnitTag(config, unit)) } : null,
  };
}

/** One continuous body. */
export const httpFlvFormat = createFlvFormat('http-flv', plainFraming);
/** The same bytes in binary WebSocket messages. */
export const webSocketFlvFormat = createFlvFormat('ws-flv', webSocketFraming);
