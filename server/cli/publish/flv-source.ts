// FLV files as a MediaSource: units for any target, or the tags themselves for RTMP, which carries them unchanged.

import { createReadStream } from 'node:fs';
import { FlvDemuxer } from '../../../shared/containers/flv/flv-demuxer.ts';
import { FLV_TAG_TYPES, FlvTagReader } from '../../../shared/containers/flv/flv-tag.ts';
import type { FlvTag } from '../../../shared/containers/flv/flv-tag.ts';
import { FlvTimeline } from '../../../shared/containers/flv/flv-timeline.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { describeVideo } from '../../ingest/video-description/video-description.ts';
import type { MediaSource, SourceEvent } from './media-source.ts';

const READ_BYTES = 256 * 1024;

/** The tags of a file. Throws ContainerError when it is damaged or ends in the middle of a tag. */
export async function* readFlvFile(path: string): AsyncGenerator<FlvTag> {
  const reader = new FlvTagReader();
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
    yield* reader.push(chunk as Buffer);
  }
  reader.finish();
}

/** Tracks and units of an FLV file. */
export class FlvUnitSource implements MediaSource {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async *events(): AsyncGenerator<SourceEvent> {
    let found: SourceEvent[] = [];
    const demuxer = new FlvDemuxer({
      describeVideo,
      onTrack: (name, config) => found.push({ kind: 'track', name, config }),
      onUnit: (name, unit) => found.push({ kind: 'unit', name, unit }),
    });
    for await (const tag of readFlvFile(this.#path)) {
      demuxer.push(tag, microseconds(0));
      yield* found;
      found = [];
    }
  }
}

/** The tags of an FLV file as they are. */
export class FlvTagSource implements MediaSource {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async *events(): AsyncGenerator<SourceEvent> {
    const timeline = new FlvTimeline();
    for await (const tag of readFlvFile(this.#path)) {
      const dts = timeline.toMicroseconds(tag.timestamp);
      yield { kind: 'tag', name: trackOf(tag), tag, dts };
    }
  }
}

function trackOf(tag: FlvTag): 'video' | 'audio' | null {
  switch (tag.type) {
    case FLV_TAG_TYPES.video:
      return 'video';
    case FLV_TAG_TYPES.audio:
      return 'audio';
    case FLV_TAG_TYPES.script:
      return null;
  }
}
