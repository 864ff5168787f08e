// Media files that we have no demuxer for (mkv, mov, webm and whatever else ffmpeg opens), remuxed by an ffmpeg child without
// transcoding: tracks and access units for `tessera publish`. The reader sets the pace; the child waits.

import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import type { AccessUnit, TrackConfig } from '../../../shared/media/access-unit.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { DecodingTimes } from './decoding-times.ts';
import { FFMPEG_MISSING, locateFfmpeg } from './ffmpeg-binary.ts';
import { FfmpegChild } from './ffmpeg-child.ts';
import { NutReader, type NutFrame, type NutStreamHeader } from './nut-reader.ts';
import { trackConfigOf } from './nut-track-config.ts';

export type ImportEvent =
  | { readonly kind: 'track'; readonly name: 'video' | 'audio'; readonly config: TrackConfig }
  /** In decoding order per track, interleaved by time. `arrivalTime` is 0. */
  | { readonly kind: 'unit'; readonly name: 'video' | 'audio'; readonly unit: AccessUnit };

/** Events that may wait for the reader before the child has to. */
const MAX_WAITING = 64;
const MAX_FRAME_BYTES = 16 << 20;

/**
 * The tracks and units of a file: its first video and its first audio track. Throws one clear sentence when ffmpeg is missing, when the
 * file cannot be read, when it is no media file or ends early, and when a codec is not one that we stream.
 */
export async function* importFile(path: string): AsyncGenerator<ImportEvent, void, undefined> {
  const binary = locateFfmpeg();
  if (binary === null) {
    throw new Error(`Reading ${path} needs ffmpeg, and ${FFMPEG_MISSING}.`);
  }
  assertReadable(path);
  const mailbox = new Mailbox(path);
  const child = new FfmpegChild({
    binary,
    input: { file: resolve(path) },
    inputOptions: [],
    outputOptions: [...['-map', '0:v:0?', '-map', '0:a:0?', '-c', 'copy', '-copyts', '-f', 'nut']],
    maxQueuedBytes: 0,
    onOutput: (chunk) => mailbox.take(chunk),
    onEnd: (failure, complaint) => {
      mailbox.end(failure, complaint);
    },
  });
  try {
    yield* mailbox.events();
  } finally {
    mailbox.abandon();
    child.close();
  }
}

function assertReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw new Error(`${path} does not exist or may not be read.`);
  }
}

/** Between the child, which pushes, and the reader, who pulls. */
class Mailbox {
  private readonly path: string;
  private readonly reader: NutReader;
  private readonly names = new Map<number, 'video' | 'audio'>();
  private readonly times = new Map<number, DecodingTimes>();
  private waiting: ImportEvent[] = [];
  private isEnded = false;
  private failure: Error | null = null;
  private wakeReader: (() => void) | null = null;
  private wakeChild: (() => void) | null = null;

  constructor(path: string) {
    this.path = path;
    const events = {
      onStream: (header: NutStreamHeader): void => {
        this.onStream(header);
      },
      onFrame: (frame: NutFrame): void => {
        this.onFrame(frame);
      },
    };
    this.reader = new NutReader(events, MAX_FRAME_BYTES);
  }

  /** Takes output of the child; pending while too many events wait. */
  take(chunk: Uint8Array): Promise<void> {
    this.reader.push(chunk);
    this.wakeReader?.();
    if (this.waiting.length <= MAX_WAITING) {
      return Promise.resolve();
    }
    return new Promise((resolvePromise) => {
      this.wakeChild = resolvePromise;
    });
  }

  end(failure: string | null, complaint: string | null): void {
    this.isEnded = true;
    if (failure !== null) {
      const isOurs = failure.startsWith(this.path); // a codec that we refused
      this.failure ??= new Error(isOurs ? failure : `${this.path} cannot be read: ${failure}`);
    } else if (this.names.size === 0) {
      this.failure ??= new Error(`${this.path} has neither video nor audio.`);
    } else if (complaint !== null) {
      this.failure ??= new Error(`${this.path} is damaged or ends early: ${complaint}`);
    }
    this.wakeReader?.();
  }

  /** Nobody reads any more. */
  abandon(): void {
    this.waiting = [];
    this.wakeChild?.();
  }

  async *events(): AsyncGenerator<ImportEvent, void, undefined> {
    for (;;) {
      const next = this.waiting.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      this.wakeChild?.();
      this.wakeChild = null;
      if (this.failure !== null) {
        throw this.failure;
      }
      if (this.isEnded) {
        return;
      }
      await new Promise<void>((resolvePromise) => {
        this.wakeReader = resolvePromise;
      });
    }
  }

  private onStream(header: NutStreamHeader): void {
    if (header.kind === 'other') {
      return;
    }
    const name = header.kind;
    this.names.set(header.index, name);
    this.waiting.push({ kind: 'track', name, config: trackConfigOf(header, this.path) });
    this.times.set(header.index, new DecodingTimes(header.reorderDepth));
  }

  private onFrame(frame: NutFrame): void {
    const name = this.names.get(frame.stream);
    const dtsUs = this.times.get(frame.stream)?.next(frame.ptsUs);
    if (name !== undefined && dtsUs !== undefined) {
      this.waiting.push({ kind: 'unit', name, unit: unitOf(frame, dtsUs, name) });
    }
  }
}

function unitOf(frame: NutFrame, dtsUs: number, name: 'video' | 'audio'): AccessUnit {
  return {
    priority: name === 'audio' || frame.isKey ? 'key' : 'reference',
    pts: microseconds(frame.ptsUs),
    dts: microseconds(dtsUs),
    data: frame.data,
    arrivalTime: microseconds(0),
  };
}
