// `tessera decode IN.264`: decodes a raw H.264 file with our decoder; writes frames, digests, figures and errors.

import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Command } from 'commander';
import type { DecodeErrorReport } from '../../shared/codec/h264/codec-types.ts';
import { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import type { ThreadHost } from '../../shared/codec/h264/threads/thread-host.ts';
import type { I420Frame, Plane } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';
import { decoderThreadHost } from '../platform/node-thread-host.ts';
import { readByteStream } from './byte-stream-file.ts';
import { printJson, UsageError, wholeNumber } from './command-line.ts';

/** Flags of the command. */
export type DecodeOptions = {
  readonly output?: string;
  readonly md5?: true;
  readonly frameMd5?: true;
  readonly threads?: number;
  readonly strict?: true;
  readonly kernels?: string;
  readonly lowDelay?: true;
  readonly json?: true;
};

/** The JSON document of the command (contract). */
export type DecodeResult = {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  /** Present when the size changed: each size with its number of frames. */
  readonly sizes?: readonly { readonly width: number; readonly height: number; readonly frames: number }[];
  readonly md5?: string;
  readonly frameMd5?: readonly string[];
  readonly cpuMs: number;
  readonly fps: number;
  readonly peakRssMb: number;
  readonly errors: readonly DecodeErrorReport[];
};

/** Reports kept of a stream that is damaged throughout. */
const MAX_REPORTS = 10_000;

/** Registers `tessera decode`. */
export function registerDecode(program: Command): void {
  program
    .command('decode')
    .description('decode a raw H.264 file (Annex B) with the decoder of Tessera')
    .argument('<input>', 'IN.264, or - for standard input')
    .option('-o, --output <file>', 'write the frames as planar YUV 4:2:0; - for standard output')
    .option('--md5', 'MD5 over all frames in output order')
    .option('--frame-md5', 'MD5 of every frame')
    .option('--threads <n>', 'threads to use at most; two are used', wholeNumber(1, 16), 1)
    .option('--strict', 'exit 1 on the first kind of damage')
    .option('--kernels <kind>', 'wasm or reference', 'wasm')
    .option('--low-delay', 'output every frame as soon as the stream allows')
    .option('--json', 'print one JSON document on stdout')
    .action(async (input: string, options: DecodeOptions) => {
      const host = (options.threads ?? 1) > 1 ? decoderThreadHost() : null;
      await host?.prepare();
      const result = decodeFile(input, options, host);
      report(input, result, options);
      if (result.frames === 0 || (options.strict === true && result.errors.length > 0)) {
        process.exitCode = 1;
      }
    });
}

/** Sums up frames as they come out. */
class FrameSink {
  frames = 0;
  readonly sizes: { width: number; height: number; frames: number }[] = [];
  readonly frameMd5: string[] = [];
  private readonly total: Hash | null;
  private readonly isPerFrame: boolean;
  private readonly file: number | null;

  constructor(options: DecodeOptions, file: number | null) {
    this.total = options.md5 === true ? createHash('md5') : null;
    this.isPerFrame = options.frameMd5 === true;
    this.file = file;
  }

  take(frame: I420Frame): void {
    this.frames++;
    const last = this.sizes.at(-1);
    if (last?.width === frame.width && last.height === frame.height) {
      last.frames++;
    } else {
      this.sizes.push({ width: frame.width, height: frame.height, frames: 1 });
    }
    const own = this.isPerFrame ? createHash('md5') : null;
    for (const plane of [frame.y, frame.u, frame.v]) {
      forEachRun(plane, (run) => {
        this.total?.update(run);
        own?.update(run);
        if (this.file !== null) {
          writeAll(this.file, run);
        }
      });
    }
    if (own !== null) {
      this.frameMd5.push(own.digest('hex'));
    }
    frame.close();
  }

  digest(): string | undefined {
    return this.total?.digest('hex');
  }
}

/** The rows of a plane, joined where nothing lies between them. */
function forEachRun(plane: Plane, visit: (run: Uint8Array) => void): void {
  const { data, stride, width, height } = plane;
  if (stride === width) {
    visit(data.subarray(0, width * height));
    return;
  }
  for (let row = 0; row < height; row++) {
    visit(data.subarray(row * stride, row * stride + width));
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(file, bytes, offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        throw error;
      }
    }
  }
}

function openOutput(path: string | undefined): number | null {
  if (path === undefined) {
    return null;
  }
  try {
    return path === '-' ? 1 : openSync(path, 'w');
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Decodes a file and measures: from the first byte read to the last byte written. `threadHost` lends the second of two threads. */
export function decodeFile(input: string, options: DecodeOptions, threadHost: ThreadHost | null = null): DecodeResult {
  const kernels = options.kernels ?? 'wasm';
  if (kernels !== 'wasm' && kernels !== 'reference') {
    throw new UsageError(`--kernels takes wasm or reference, not ${kernels}.`);
  }
  if (options.output === '-' && options.json === true) {
    throw new UsageError('-o - and --json both write to standard output; choose one.');
  }
  const threads = options.threads ?? 1;
  const file = openOutput(options.output);
  const sink = new FrameSink(options, file);
  const errors: DecodeErrorReport[] = [];
  const decoder = new H264Decoder({
    output: (frame) => sink.take(frame),
    error: (damage) => {
      if (errors.length < MAX_REPORTS) {
        errors.push(damage);
      }
    },
    ...(threadHost === null ? {} : { threadHost }),
  });
  decoder.configure({
    format: 'annexb',
    kernels,
    lowDelay: options.lowDelay === true,
    threads,
  });
  const cpuStart = process.cpuUsage();
  const wallStart = performance.now();
  try {
    readByteStream(input, (unit) => {
      decoder.decode({ type: unit.isKey ? 'key' : 'delta', timestamp: microseconds(0), data: unit.data });
    });
    decoder.flush();
    decoder.close();
  } finally {
    if (file !== null && file !== 1) {
      closeSync(file);
    }
  }
  const md5 = sink.digest();
  const wallMs = performance.now() - wallStart;
  const cpu = process.cpuUsage(cpuStart);
  const largest = sink.sizes.at(-1) ?? { width: 0, height: 0 };
  return {
    frames: sink.frames,
    width: largest.width,
    height: largest.height,
    ...(sink.sizes.length > 1 ? { sizes: sink.sizes } : {}),
    ...(md5 === undefined ? {} : { md5 }),
    ...(options.frameMd5 === true ? { frameMd5: sink.frameMd5 } : {}),
    cpuMs: Math.round((cpu.user + cpu.system) / 1000),
    fps: Math.round((sink.frames / wallMs) * 1_000_000) / 1000,
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 102.4) / 10,
    errors,
  };
}

function report(input: string, result: DecodeResult, options: DecodeOptions): void {
  const source = input === '-' ? 'standard input' : input;
  if (options.json === true) {
    printJson(result);
  } else if (options.output !== '-') {
    const { frames, width, height, fps, cpuMs, peakRssMb, errors } = result;
    process.stdout.write(
      `${source}: ${frames} frames of ${width}x${height}, ${fps} fps, ${cpuMs} ms CPU, ${peakRssMb} MB\n`,
    );
    for (const digest of result.frameMd5 ?? []) {
      process.stdout.write(`${digest}\n`);
    }
    if (result.md5 !== undefined) {
      process.stdout.write(`md5 ${result.md5}\n`);
    }
    if (errors.length > 0) {
      process.stdout.write(`${errors.length} errors, first: ${errors[0]?.code ?? ''}\n`);
    }
  }
  if (result.frames === 0) {
    process.stderr.write(`tessera: ${source} gave no picture.\n`);
  }
}
