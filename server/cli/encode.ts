// `tessera encode IN.y4m -o OUT.264`: the encoder on files and pipes. One frame is in memory at a time.
// Figures as the contract defines them: cpuMs and fps from the first frame read to the last byte written, without the PSNR.

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { type Command, Option } from 'commander';
import type {
  EncoderConfig,
  EncoderPreset,
  EncoderProfile,
  EncoderTune,
  RateControlConfig,
} from '../../shared/codec/h264/codec-types.ts';
import { H264Encoder } from '../../shared/codec/h264/encoder.ts';
import type { KernelKind } from '../../shared/codec/h264/kernels/kernels.ts';
import { openY4m, type Y4mHeader } from '../../shared/containers/y4m.ts';
import { type FrameSource, openY4mFile } from './y4m-file.ts';
import type { I420Frame, Plane } from '../../shared/media/frame.ts';
import { finiteNumber, printJson, UsageError, wholeNumber } from './command-line.ts';

type EncodeFlags = {
  readonly output: string;
  readonly qp?: number;
  readonly kbps?: number;
  readonly maxKbps?: number;
  readonly bufferMs?: number;
  readonly maxFrameBytes?: number;
  readonly preset: EncoderPreset;
  readonly profile?: EncoderProfile;
  readonly tune: EncoderTune;
  readonly keyint?: number | 'infinite';
  readonly layers: number;
  readonly slices: number;
  readonly threads: number;
  readonly frames?: number;
  readonly recon?: string;
  readonly psnr?: true;
  readonly kernels: KernelKind;
  readonly json?: true;
};

/** What `--json` prints. */
export type EncodeReport = {
  readonly frames: number;
  readonly bytes: number;
  readonly kbps: number;
  readonly psnrY?: number;
  readonly cpuMs: number;
  readonly fps: number;
  readonly peakRssMb: number;
  readonly idrs: number;
};

/** A file or pipe that waits while the other side is full. */
class Sink {
  readonly #stream: NodeJS.WritableStream;
  #error: Error | null = null;

  constructor(path: string) {
    this.#stream = path === '-' ? process.stdout : createWriteStream(path);
    this.#stream.on('error', (error: Error) => {
      this.#error = error;
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#error !== null) {
      throw this.#error;
    }
    if (!this.#stream.write(bytes)) {
      await once(this.#stream, 'drain');
    }
  }

  async end(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#stream.once('error', () => resolve());
      this.#stream.end(resolve);
    });
    if (this.#error !== null) {
      throw this.#error;
    }
  }
}

function rateControlOf(flags: EncodeFlags): RateControlConfig {
  if (flags.qp !== undefined && flags.kbps !== undefined) {
    throw new UsageError('Give either --qp or --kbps, not both.');
  }
  if (flags.kbps === undefined) {
    if (flags.maxKbps !== undefined || flags.bufferMs !== undefined || flags.maxFrameBytes !== undefined) {
      throw new UsageError('--maxKbps, --bufferMs and --maxFrameBytes belong to --kbps.');
    }
    return { kind: 'qp', qp: flags.qp ?? 27 };
  }
  if (flags.maxKbps !== undefined && flags.maxKbps < flags.kbps) {
    throw new UsageError(`--maxKbps ${flags.maxKbps} is below --kbps ${flags.kbps}.`);
  }
  return {
    kind: 'bitrate',
    kbps: flags.kbps,
    ...(flags.maxKbps === undefined ? {} : { maxKbps: flags.maxKbps }),
    ...(flags.bufferMs === undefined ? {} : { bufferMs: flags.bufferMs }),
    ...(flags.maxFrameBytes === undefined ? {} : { maxFrameBytes: flags.maxFrameBytes }),
  };
}

function configOf(flags: EncodeFlags, header: Y4mHeader, frame: I420Frame): EncoderConfig {
  return {
    width: header.width,
    height: header.height,
    framerate: header.framerate,
    rateControl: rateControlOf(flags),
    preset: flags.preset,
    ...(flags.profile === undefined ? {} : { profile: flags.profile }),
    tune: flags.tune,
    ...(flags.keyint === undefined ? {} : { keyint: flags.keyint }),
    layers: flags.layers as 1 | 2 | 3,
    slices: flags.slices,
    threads: flags.threads,
    colour: frame.colour,
    sampleAspect: header.sampleAspect,
    kernels: flags.kernels,
  };
}

/** Rows of a plane without padding. */
function packedPlane(plane: Plane): Uint8Array {
  const packed = new Uint8Array(plane.width * plane.height);
  for (let y = 0; y < plane.height; y++) {
    packed.set(plane.data.subarray(y * plane.stride, y * plane.stride + plane.width), y * plane.width);
  }
  return packed;
}

/** Squared luma error of the picture, over the source's own size. */
function squaredError(source: Plane, reconstruction: Plane): number {
  let sum = 0;
  for (let y = 0; y < source.height; y++) {
    const a = y * source.stride;
    const b = y * reconstruction.stride;
    for (let x = 0; x < source.width; x++) {
      const difference = (source.data[a + x] ?? 0) - (reconstruction.data[b + x] ?? 0);
      sum += difference * difference;
    }
  }
  return sum;
}

const cpuMilliseconds = (usage: NodeJS.CpuUsage): number => (usage.user + usage.system) / 1000;

/** One run of the command: what flows between the encoder and the files. */
class EncodeRun {
  readonly #flags: EncodeFlags;
  readonly #sink: Sink;
  readonly #recon: Sink | null;
  readonly #encoder: H264Encoder;
  readonly #pending: Uint8Array[] = [];
  readonly #pendingRecon: Uint8Array[] = [];
  #source: I420Frame | null = null;
  #frames = 0;
  #bytes = 0;
  #idrs = 0;
  #squaredError = 0;
  /** CPU and wall time spent on PSNR, which the figures leave out. */
  #psnrCpuMs = 0;
  #psnrWallMs = 0;

  constructor(flags: EncodeFlags) {
    this.#flags = flags;
    this.#sink = new Sink(flags.output);
    this.#recon = flags.recon === undefined ? null : new Sink(flags.recon);
    const wantsReconstruction = flags.recon !== undefined || flags.psnr === true;
    this.#encoder = new H264Encoder({
      output: (chunk) => {
        this.#pending.push(chunk.data);
        this.#bytes += chunk.data.length;
        this.#idrs += chunk.type === 'key' ? 1 : 0;
      },
      ...(wantsReconstruction ? { reconstruction: (frame) => this.#take(frame) } : {}),
    });
  }

  #take(frame: I420Frame): void {
    if (this.#recon !== null) {
      this.#pendingRecon.push(packedPlane(frame.y), packedPlane(frame.u), packedPlane(frame.v));
    }
    if (this.#flags.psnr === true && this.#source !== null) {
      const cpu = process.cpuUsage();
      const wall = performance.now();
      this.#squaredError += squaredError(this.#source.y, frame.y);
      this.#psnrCpuMs += cpuMilliseconds(process.cpuUsage(cpu));
      this.#psnrWallMs += performance.now() - wall;
    }
  }

  async run({ header, frames }: FrameSource): Promise<EncodeReport> {
    const cpu = process.cpuUsage();
    const started = performance.now();
    for await (const frame of frames) {
      if (this.#frames === 0) {
        this.#encoder.configure(configOf(this.#flags, header, frame));
      }
      this.#source = frame;
      this.#encoder.encode(frame);
      this.#frames++;
      await this.#drain();
      this.#showProgress(started);
      if (this.#frames === this.#flags.frames) {
        break;
      }
    }
    await this.#sink.end();
    await this.#recon?.end();
    if (this.#frames === 0) {
      throw new Error('The input has no frame.');
    }
    const wallMs = performance.now() - started - this.#psnrWallMs;
    const cpuMs = cpuMilliseconds(process.cpuUsage(cpu)) - this.#psnrCpuMs;
    return this.#report(header, wallMs, cpuMs);
  }

  async #drain(): Promise<void> {
    for (const bytes of this.#pending.splice(0)) {
      await this.#sink.write(bytes);
    }
    for (const bytes of this.#pendingRecon.splice(0)) {
      await this.#recon?.write(bytes);
    }
  }

  #showProgress(started: number): void {
    if (process.stderr.isTTY && this.#frames % 10 === 0) {
      const fps = (1000 * this.#frames) / (performance.now() - started);
      process.stderr.write(`\r${this.#frames} frames, ${fps.toFixed(1)} fps, ${(this.#bytes / 1024).toFixed(0)} kB `);
    }
  }

  #report(header: Y4mHeader, wallMs: number, cpuMs: number): EncodeReport {
    const { numerator, denominator } = header.framerate;
    const seconds = (this.#frames * denominator) / numerator;
    const meanSquared = this.#squaredError / (this.#frames * header.width * header.height);
    if (process.stderr.isTTY) {
      process.stderr.write('\r\u001b[K');
    }
    return {
      frames: this.#frames,
      bytes: this.#bytes,
      kbps: (8 * this.#bytes) / 1000 / seconds,
      ...(this.#flags.psnr === true
        ? { psnrY: meanSquared === 0 ? 100 : 10 * Math.log10(255 ** 2 / meanSquared) }
        : {}),
      cpuMs,
      fps: (1000 * this.#frames) / wallMs,
      peakRssMb: process.resourceUsage().maxRSS / 1024,
      idrs: this.#idrs,
    };
  }
}

function keyintOf(text: string): number | 'infinite' {
  return text === 'infinite' ? 'infinite' : wholeNumber(1, 2 ** 31 - 1)(text);
}

function summary(report: EncodeReport): string {
  const psnr = report.psnrY === undefined ? '' : `, PSNR-Y ${report.psnrY.toFixed(2)} dB`;
  return (
    `${report.frames} frames, ${report.idrs} IDR, ${report.bytes} bytes, ${report.kbps.toFixed(1)} kbit/s${psnr}, ` +
    `${report.fps.toFixed(1)} fps, ${report.cpuMs.toFixed(0)} ms CPU, ${report.peakRssMb.toFixed(0)} MB\n`
  );
}

/** Registers `tessera encode`. */
export function registerEncode(program: Command): void {
  program
    .command('encode')
    .description('encode a YUV4MPEG2 file as H.264')
    .argument('<input>', 'a .y4m file, or - for stdin')
    .requiredOption('-o, --output <file>', 'Annex B output, or - for stdout')
    .option('--qp <n>', 'constant quantiser, 0..51 (default 27)', wholeNumber(0, 51))
    .option('--kbps <n>', 'bit rate in kbit/s', finiteNumber(1, 1e6))
    .option('--maxKbps <n>', 'peak rate in kbit/s (default: --kbps)', finiteNumber(1, 1e6))
    .option(
      '--bufferMs <n>',
      'size of the decoder buffer (VBV) in milliseconds (default 1000)',
      finiteNumber(20, 60000),
    )
    .option('--maxFrameBytes <n>', 'no access unit is larger (default: no limit)', wholeNumber(64, 2 ** 31 - 1))
    .addOption(
      new Option('--preset <name>', 'speed against quality')
        .choices(['ultrafast', 'fast', 'balanced', 'quality'])
        .default('fast'),
    )
    .addOption(
      new Option('--profile <name>', 'default: baseline for ultrafast and fast, else high').choices([
        'baseline',
        'main',
        'high',
      ]),
    )
    .addOption(new Option('--tune <name>').choices(['camera', 'screen', 'psnr']).default('camera'))
    .option('--keyint <n|infinite>', 'frames from IDR to IDR (default 2 s)', keyintOf)
    .option('--layers <n>', 'temporal layers, 1..3', wholeNumber(1, 3), 1)
    .option('--slices <n>', 'slices per picture', wholeNumber(1, 64), 1)
    .option('--threads <n>', 'threads', wholeNumber(1, 16), 1)
    .option('--frames <n>', 'stop after this many frames', wholeNumber(1, 2 ** 31 - 1))
    .option('--recon <file>', 'write the reconstruction as raw I420')
    .option('--psnr', 'measure PSNR-Y')
    .addOption(new Option('--kernels <kind>').choices(['wasm', 'reference']).default('wasm'))
    .option('--json', 'print one JSON document on stdout')
    .action(async (input: string, flags: EncodeFlags) => {
      if (flags.output === '-' && flags.json === true) {
        throw new UsageError('--json needs stdout: give -o a file.');
      }
      rateControlOf(flags);
      if (flags.threads > 1) {
        process.stderr.write('tessera: encoding uses one thread; more are not available yet.\n');
      }
      const report = await new EncodeRun(flags).run(input === '-' ? await openY4m(process.stdin) : openY4mFile(input));
      if (flags.json === true) {
        printJson(report);
      } else {
        process.stderr.write(summary(report));
      }
    });
}
