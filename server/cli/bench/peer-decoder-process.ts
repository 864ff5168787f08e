// The child process in which a decoder from npm decodes one file, so that its memory and its start are its own:
// node peer-decoder-process FOLDER PACKAGE FILE      prints {"frames","cpuMs","peakRssMb"}
// The packages are scripts for browser workers; they get the few globals of a worker that they look for.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { splitAnnexB } from '../../../shared/bitstream/annex-b.ts';
import { cpuMsOf, openFfmpegCore, runBrowserScript } from './browser-script.ts';

type TinyModule = {
  readonly HEAPU8: Uint8Array;
  readonly _malloc: (bytes: number) => number;
  readonly _h264bsdAlloc: () => number;
  readonly _h264bsdInit: (storage: number, noOutputReordering: number) => number;
  readonly _h264bsdDecode: (
    storage: number,
    data: number,
    length: number,
    picture: number,
    width: number,
    height: number,
  ) => number;
};

/** h264bsdDecode: a picture came out. */
const PICTURE_READY = 1;
/** Room for one NAL unit. */
const MAX_NAL_BYTES = 1 << 20;

type Measure = { readonly frames: number; readonly cpuMs: number };

async function ffmpegCore(folder: string, file: string): Promise<Measure> {
  let log = '';
  const core = await openFfmpegCore(folder, (line) => {
    log += `${line}\n`;
  });
  core.FS.writeFile('in.264', readFileSync(file));
  const args = ['-threads', '1', '-i', 'in.264', '-fps_mode', 'passthrough', '-f', 'null', '-'];
  const cpuMs = cpuMsOf(() => void core.exec(...args));
  return { frames: Number([...log.matchAll(/frame=\s*(\d+)/g)].at(-1)?.[1] ?? 0), cpuMs };
}

async function tinyH264(folder: string, file: string): Promise<Measure> {
  const script = join(folder, 'es', 'TinyH264.js');
  const asScript = (source: string): string => source.replace(/export default Module;?\s*$/, '');
  const create = runBrowserScript(script, 'Module', asScript) as (options: object) => Promise<TinyModule>;
  const module = await create({});
  const storage = module._h264bsdAlloc();
  const [data, picture, width, height] = [MAX_NAL_BYTES, 4, 4, 4].map((bytes) => module._malloc(bytes));
  module._h264bsdInit(storage, 0);
  const bytes = readFileSync(file);
  let frames = 0;
  const cpuMs = cpuMsOf(() => {
    for (const { start, end } of splitAnnexB(bytes)) {
      module.HEAPU8.set(bytes.subarray(start, end), data);
      const result = module._h264bsdDecode(storage, data ?? 0, end - start, picture ?? 0, width ?? 0, height ?? 0);
      frames += result === PICTURE_READY ? 1 : 0;
    }
  });
  return { frames, cpuMs };
}

const [folder = '', name = '', file = ''] = process.argv.slice(2);
const measured = await (name === 'tinyh264' ? tinyH264(folder, file) : ffmpegCore(folder, file));
const peakRssMb = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${JSON.stringify({ ...measured, peakRssMb })}\n`, () => process.exit(0));
