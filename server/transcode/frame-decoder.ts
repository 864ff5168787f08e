// Three ways from the units of a source to pictures, behind one role: packed I420 as it came, our H.264 decoder, an ffmpeg child.
// Called by source-pipeline.ts.

import type { AccessUnit, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import { i420ByteLength, packedI420, type I420Frame } from '../../shared/media/frame.ts';
import type { CodecSet } from './codec-set.ts';
import { FfmpegDecoder } from './ffmpeg/ffmpeg-decoder.ts';
import type { SourceStart } from './worker-messages.ts';

export type FrameDecoderEvents = {
  /** The receiver closes the frame. */
  readonly onFrame: (frame: I420Frame) => void;
  /** A unit gave no picture and never will. */
  readonly onDropped: () => void;
  /** The bitstream uses a feature that this decoder does not have. */
  readonly onUnsupported: (sentence: string) => void;
  /** The decoder is gone. */
  readonly onDied: (sentence: string) => void;
};

export interface FrameDecoder {
  decode(unit: AccessUnit): void;
  /** Resolves when nothing of it is left. */
  close(): Promise<void>;
}

/** Makes the decoder that was chosen for the source. `budgetMs`: see limits.decodeBudgetMs. */
export function createFrameDecoder(
  source: SourceStart,
  codecs: CodecSet,
  budgetMs: number,
  events: FrameDecoderEvents,
): FrameDecoder {
  const { config, decoder } = source;
  switch (decoder.kind) {
    case 'raw':
      return rawDecoder(config, events);
    case 'tessera':
      return ownDecoder(config, codecs, budgetMs, events);
    case 'ffmpeg':
      return new FfmpegDecoder(config, decoder.binary, decoder.reorderDepth, {
        onFrame: events.onFrame,
        onDropped: events.onDropped,
        onFailure: events.onDied,
      });
  }
}

function rawDecoder(config: VideoTrackConfig, events: FrameDecoderEvents): FrameDecoder {
  const { width, height, colour, sampleAspect } = config;
  return {
    decode(unit) {
      if (unit.data.length < i420ByteLength(width, height)) {
        events.onDropped();
        return;
      }
      events.onFrame(packedI420(unit.data, { width, height }, { timestamp: unit.pts, colour, sampleAspect }));
    },
    close: () => Promise.resolve(),
  };
}

/** Damage is concealed by the decoder and not reported here; an unsupported feature is told once. */
function ownDecoder(
  config: VideoTrackConfig,
  codecs: CodecSet,
  budgetMs: number,
  events: FrameDecoderEvents,
): FrameDecoder {
  let isUnsupported = false;
  const decoder = codecs.createDecoder(
    {
      output: events.onFrame,
      error: ({ code }) => {
        if (code === 'unsupported' && !isUnsupported) {
          isUnsupported = true;
          events.onUnsupported(`our H.264 decoder does not have a feature that ${config.codec} uses here`);
        }
      },
    },
    {
      format: 'avc',
      lowDelay: true,
      budgetMs,
      ...(config.description === undefined ? {} : { description: config.description }),
    },
  );
  let hasKey = false;
  return {
    decode(unit) {
      hasKey ||= unit.priority === 'key';
      if (!hasKey) {
        events.onDropped();
        return;
      }
      decoder.decode({ type: unit.priority === 'key' ? 'key' : 'delta', timestamp: unit.pts, data: unit.data });
    },
    close() {
      decoder.close();
      return Promise.resolve();
    },
  };
}
