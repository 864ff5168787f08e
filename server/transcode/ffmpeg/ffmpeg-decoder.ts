// Video that our own decoder does not take, decoded by an ffmpeg child: access units go in as NUT, pictures come out as NUT with
// I420 inside, so every picture has the timestamp of its access unit. Runs in the transcode worker. Called by frame-decoder.ts.

import type { AccessUnit, VideoTrackConfig } from '../../../shared/media/access-unit.ts';
import { packedI420, type I420Frame } from '../../../shared/media/frame.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { FfmpegChild } from './ffmpeg-child.ts';
import { NutReader, type NutStreamHeader } from './nut-reader.ts';
import { writeNutFrame, writeNutHeader } from './nut-writer.ts';

export type FfmpegDecoderEvents = {
  readonly onFrame: (frame: I420Frame) => void;
  /** A unit was not taken because ffmpeg does not keep up; decoding goes on at the next key unit. */
  readonly onDropped: () => void;
  /** The child ended without being closed: nothing more will come. */
  readonly onFailure: (sentence: string) => void;
};

/** Coded bytes that may wait for the child. */
const MAX_QUEUED_BYTES = 8 << 20;
/** The largest picture that is taken from the child: 4096x4096 I420 and its header. */
const MAX_FRAME_BYTES = 26 << 20;
/** NUT has no negative times; added on the way in, taken off on the way out. */
const TIME_OFFSET_US = 3_600_000_000;

/** ffmpeg's name of a codec string, or null when it is not one that we pass on. */
export function ffmpegFourcc(codec: string): string | null {
  const family = codec.split('.')[0] ?? '';
  switch (family) {
    case 'avc1':
    case 'avc3':
      return 'H264';
    case 'hev1':
    case 'hvc1':
      return 'HEVC';
    case 'av01':
      return 'AV01';
    case 'vp09':
      return 'VP90';
    default:
      return null;
  }
}

export class FfmpegDecoder {
  private readonly config: VideoTrackConfig;
  private readonly events: FfmpegDecoderEvents;
  private readonly child: FfmpegChild;
  private readonly reader: NutReader;
  private outputShape: NutStreamHeader | null = null;
  private isSkipping = true; // until the first key unit, and after a refused unit

  /** `reorderDepth`: pictures that may have to wait for another one, see source-inspection.ts. */
  constructor(config: VideoTrackConfig, binary: string, reorderDepth: number, events: FfmpegDecoderEvents) {
    this.config = config;
    this.events = events;
    const fourcc = ffmpegFourcc(config.codec);
    if (fourcc === null) {
      throw new TypeError(`${config.codec} is not a codec that is decoded through ffmpeg.`);
    }
    this.reader = new NutReader(
      { onStream: (header) => (this.outputShape = header), onFrame: (frame) => this.output(frame.ptsUs, frame.data) },
      MAX_FRAME_BYTES,
    );
    this.child = new FfmpegChild({
      binary,
      input: 'pipe',
      inputOptions: INPUT_OPTIONS,
      outputOptions: outputOptions(config),
      maxQueuedBytes: MAX_QUEUED_BYTES,
      onOutput: (chunk) => {
        this.reader.push(chunk);
      },
      onEnd: (failure) => {
        if (failure !== null) {
          events.onFailure(failure);
        }
      },
    });
    this.child.write([
      writeNutHeader({
        kind: 'video',
        fourcc,
        width: config.width,
        height: config.height,
        reorderDepth,
        ...(config.description === undefined ? {} : { description: config.description }),
      }),
    ]);
  }

  /** Process id of the child while it runs. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Takes one unit; pictures come later, through onFrame. */
  decode(unit: AccessUnit): void {
    const isKey = unit.priority === 'key';
    if (this.isSkipping && !isKey) {
      this.events.onDropped();
      return;
    }
    this.isSkipping = !this.child.write(writeNutFrame(unit.data, unit.pts + TIME_OFFSET_US, isKey));
    if (this.isSkipping) {
      this.events.onDropped();
    }
  }

  /** No more units: what ffmpeg still holds comes out. */
  flush(): void {
    this.child.endInput();
  }

  /** Resolves when the child is gone. */
  close(): Promise<void> {
    this.child.close();
    return this.child.gone;
  }

  private output(ptsUs: number, data: Uint8Array): void {
    if (this.outputShape === null) {
      return;
    }
    const { width, height } = this.outputShape;
    const { colour, sampleAspect } = this.config;
    const timestamp = microseconds(ptsUs - TIME_OFFSET_US);
    this.events.onFrame(packedI420(data, { width, height }, { timestamp, colour, sampleAspect }));
  }
}

/** Start decoding with the first bytes and hold nothing back; frame threads would each delay by a picture. */
const INPUT_OPTIONS = [
  ...['-probesize', '32', '-analyzeduration', '1', '-fpsprobesize', '0'],
  ...['-flags', 'low_delay', '-threads', '1', '-f', 'nut'],
];

function outputOptions(config: VideoTrackConfig): string[] {
  const pixels = config.colour.video_full_range_flag ? 'yuvj420p' : 'yuv420p';
  return [
    ...['-map', '0:v:0', '-copyts', '-fps_mode', 'passthrough', '-enc_time_base', '1:1000000'],
    ...['-c:v', 'rawvideo', '-pix_fmt', pixels, '-threads', '1', '-flush_packets', '1', '-f', 'nut'],
  ];
}
