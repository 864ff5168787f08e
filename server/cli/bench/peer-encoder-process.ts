// The child process in which an encoder from npm encodes one clip, so that its memory and its start are its own:
// node peer-encoder-process FOLDER PACKAGE CLIP.y4m QP OUT.mp4      prints {"frames","cpuMs","peakRssMb"}
// One key frame, then P frames at constant QP, as our own encoder is measured.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { i420ByteLength } from '../../../shared/media/frame.ts';
import { openY4mFile } from '../y4m-file.ts';
import { cpuMsOf, openFfmpegCore } from './browser-script.ts';

/** What we use of an encoder of h264-mp4-encoder (minih264 in WASM). */
type Mp4Encoder = {
  width: number;
  height: number;
  frameRate: number;
  speed: number;
  quantizationParameter: number;
  groupOfPictures: number;
  readonly outputFilename: string;
  readonly FS: { readonly readFile: (name: string) => Uint8Array };
  initialize(): void;
  addFrameYuv(picture: Uint8Array): void;
  finalize(): void;
};

type Job = { readonly folder: string; readonly clip: string; readonly qp: number; readonly output: string };
type Measure = { readonly frames: number; readonly cpuMs: number };

/** Speed of minih264 that the targets speak of, 0 (best) to 10. */
const MINIH264_SPEED = 5;
/** Longer than any clip: one key frame. */
const ENDLESS_GROUP = 100_000;

/** x264 in WASM with the options of our native x264 row. */
async function ffmpegCore({ folder, clip, qp, output }: Job): Promise<Measure> {
  let log = '';
  const core = await openFfmpegCore(folder, (line) => {
    log += `${line}\n`;
  });
  core.FS.writeFile('in.y4m', readFileSync(clip));
  const x264 = `keyint=infinite:bframes=0:rc-lookahead=0:sync-lookahead=0`;
  const encoder = ['-c:v', 'libx264', '-preset', 'superfast', '-tune', 'psnr', '-qp', String(qp), '-threads', '1'];
  const args = ['-i', 'in.y4m', ...encoder, '-x264-params', x264, '-fps_mode', 'passthrough', 'out.mp4'];
  const cpuMs = cpuMsOf(() => {
    if (core.exec(...args) !== 0) {
      throw new Error(`@ffmpeg/core failed: ${log.trim().split('\n').slice(-2).join(' ')}`);
    }
  });
  writeFileSync(output, core.FS.readFile('out.mp4'));
  return { frames: Number([...log.matchAll(/frame=\s*(\d+)/g)].at(-1)?.[1] ?? 0), cpuMs };
}

async function mp4Encoder({ folder, clip, qp, output }: Job): Promise<Measure> {
  const { createH264MP4Encoder: create } = createRequire(import.meta.url)(folder) as {
    readonly createH264MP4Encoder: () => Promise<Mp4Encoder>;
  };
  const encoder = await create();
  const { header, frames } = openY4mFile(clip);
  const { width, height, framerate } = header;
  encoder.width = width;
  encoder.height = height;
  encoder.frameRate = framerate.numerator / framerate.denominator;
  encoder.speed = MINIH264_SPEED;
  encoder.quantizationParameter = qp;
  encoder.groupOfPictures = ENDLESS_GROUP;
  let count = 0;
  const cpuMs = cpuMsOf(() => {
    encoder.initialize();
    for (const frame of frames as Iterable<{ readonly y: { readonly data: Uint8Array } }>) {
      // The planes of a frame of a file lie one behind the other.
      const { buffer, byteOffset } = frame.y.data;
      encoder.addFrameYuv(new Uint8Array(buffer, byteOffset, i420ByteLength(width, height)));
      count++;
    }
    encoder.finalize();
  });
  writeFileSync(output, encoder.FS.readFile(encoder.outputFilename));
  return { frames: count, cpuMs };
}

const [folder = '', name = '', clip = '', qp = '', output = ''] = process.argv.slice(2);
const job: Job = { folder, clip, qp: Number(qp), output };
const measured = await (name === '@ffmpeg/core' ? ffmpegCore(job) : mp4Encoder(job));
const peakRssMb = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${JSON.stringify({ ...measured, peakRssMb })}\n`, () => process.exit(0));
