// BD-rates of PSNR-Y over QP 22 27 32 37 against the recorded points of x264 superfast, per clip. Called by encode.ts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bdRate, type RatePoint } from './bd-rate.ts';
import { type ClipName, materialDirectory, rawClip } from './clips.ts';
import { kbpsOf, psnrByFfmpeg, runOwn, runPeer } from './encoder-runs.ts';
import type { PeerName } from './peers.ts';

const CLIPS: readonly ClipName[] = ['bbb720', 'foreman_cif', 'mobile_cif'];
const QPS = [22, 27, 32, 37] as const;
const ANCHOR = 'x264-superfast';

/** BD-rate in per cent of each clip; negative is fewer bits than x264 superfast. */
export type BdRates = ReadonlyMap<ClipName, number>;

export function meanRate(rates: BdRates): number {
  return [...rates.values()].reduce((sum, rate) => sum + rate, 0) / rates.size;
}

/** Recorded points of an encoder on a clip: [qp, kbit/s, PSNR-Y, SSIM] rows. */
function recorded(clip: ClipName, encoder: string): readonly RatePoint[] {
  const file = join(materialDirectory(), 'clips', 'rd-anchors.json');
  const document = JSON.parse(readFileSync(file, 'utf8')) as {
    clips: Record<string, Record<string, readonly (readonly number[])[]>>;
  };
  const rows = document.clips[clip]?.[encoder];
  if (rows === undefined) {
    throw new Error(`rd-anchors.json has no points of ${encoder} on ${clip}.`);
  }
  return rows.map((row) => ({ kbps: row[1] ?? NaN, psnr: row[2] ?? NaN }));
}

function ratesOf(pointsOf: (clip: ClipName) => readonly RatePoint[]): BdRates {
  return new Map(CLIPS.map((clip) => [clip, bdRate(recorded(clip, ANCHOR), pointsOf(clip))]));
}

/** Of an encoder whose points are recorded. */
export function recordedRates(encoder: string): BdRates {
  return ratesOf((clip) => recorded(clip, encoder));
}

/** Of one of our presets. */
export function presetRates(cacheDir: string, preset: string, output: string): BdRates {
  return ratesOf((clip) =>
    QPS.map((qp) => {
      const flags = ['--preset', preset, '--qp', String(qp), '--psnr'];
      const { kbps, psnrY } = runOwn(rawClip(cacheDir, clip), output, flags);
      return { kbps, psnr: psnrY ?? NaN };
    }),
  );
}

/** Of an encoder from npm; needs ffmpeg to look at what it made. */
export function peerRates(cacheDir: string, folder: string, name: PeerName, output: string): BdRates {
  return ratesOf((clip) =>
    QPS.map((qp) => {
      const raw = rawClip(cacheDir, clip);
      const { frames } = runPeer(folder, name, raw, qp, output);
      return { kbps: kbpsOf(output, raw, frames), psnr: psnrByFfmpeg(output, raw) };
    }),
  );
}
