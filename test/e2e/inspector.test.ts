// High profile with B-frames from ffmpeg over RTMP, decoded in the page by our own decoder: equal to ffmpeg's decoding; and the inspector's
// overlay agrees with `tessera probe`, macroblock by macroblock, on three frames.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { kindOf } from '../../client/player/inspector-drawing.ts';
import { probeFile } from '../../server/cli/probe.ts';
import type { MacroblockDescription } from '../../server/cli/probe-macroblocks.ts';
import { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import { i420ByteLength } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';
import { launchBrowser, openPage } from '../support/browser.ts';
import { ensurePages } from '../support/pages.ts';
import { fetchFrame, waitForStats, waitUntil } from '../support/player-page.ts';
import { describeWith } from '../support/requirements.ts';
import { startServe, type ServeProcess } from '../support/serve-process.ts';

const IS_LONG = process.env['TESSERA_LONG'] === '1';
const FPS = 30;
const FRAME_US = 1_000_000 / FPS;

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

/** A clip in the folder: as FLV for the publisher, as Annex B for probe, and the digest of every frame as ffmpeg decodes it. */
type Clip = { readonly flv: string; readonly byteStream: string; readonly digests: readonly string[] };

function ffmpeg(args: readonly string[]): Buffer {
  const result = spawnSync('ffmpeg', ['-v', 'error', '-y', ...args], { maxBuffer: 1 << 29 });
  expect(result.stderr.toString()).toBe('');
  expect(result.status).toBe(0);
  return result.stdout;
}

function makeClip(folder: string, name: string, width: number, height: number, frames: number): Clip {
  const flv = join(folder, `${name}.flv`);
  const byteStream = join(folder, `${name}.264`);
  const source = `testsrc2=size=${width}x${height}:rate=${FPS}`;
  const coding = ['-c:v', 'libx264', '-profile:v', 'high', '-preset', 'fast', '-bf', '3', '-g', String(FPS)];
  ffmpeg([
    '-f',
    'lavfi',
    '-i',
    source,
    '-frames:v',
    String(frames),
    ...coding,
    '-pix_fmt',
    'yuv420p',
    '-f',
    'flv',
    flv,
  ]);
  ffmpeg(['-i', flv, '-c', 'copy', '-bsf:v', 'h264_mp4toannexb', '-f', 'h264', byteStream]);
  const raw = ffmpeg(['-i', flv, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-']);
  const bytes = i420ByteLength(width, height);
  const digests = Array.from({ length: raw.length / bytes }, (_, i) => md5(raw.subarray(i * bytes, (i + 1) * bytes)));
  return { flv, byteStream, digests };
}

/** Decoding order of the frame that is shown as number `index`. */
function decodingOrderOf(byteStream: string, index: number): number {
  const pictures: { readonly idr: number; readonly order: number; readonly decoded: number }[] = [];
  let idrs = 0;
  const decoder = new H264Decoder(
    { output: (frame) => frame.close(), error: () => undefined },
    {
      picture: (_, picture) => {
        idrs += picture.isIdr ? 1 : 0;
        pictures.push({ idr: idrs, order: picture.PicOrderCnt, decoded: pictures.length });
      },
    },
  );
  decoder.configure({ format: 'annexb' });
  decoder.decode({ type: 'key', timestamp: microseconds(0), data: readFileSync(byteStream) });
  decoder.flush();
  return pictures.toSorted((a, b) => a.idr - b.idr || a.order - b.order)[index]!.decoded;
}

/** What the overlay says of one macroblock, in the words of probe. */
type Seen = { readonly kind: string; readonly qp: number; readonly motion: readonly (readonly number[])[] };

function seenByProbe(macroblock: MacroblockDescription): Seen {
  const { mb_type, transform_size_8x8_flag, QPY } = macroblock;
  const kind = mb_type.startsWith('I_16x16')
    ? 'Intra 16x16'
    : mb_type === 'I_NxN'
      ? transform_size_8x8_flag
        ? 'Intra 8x8'
        : 'Intra 4x4'
      : mb_type === 'I_PCM'
        ? mb_type
        : mb_type.endsWith('_Skip')
          ? 'Skip'
          : mb_type === 'B_Direct_16x16'
            ? 'Direct'
            : 'Inter';
  const motion = (macroblock.motion ?? []).flatMap(({ list, ref_idx, mv }) =>
    ref_idx.flatMap((ref, block) => {
      const vector = mv[(block >> 1) * 8 + (block & 1) * 2]!;
      return ref < 0 ? [] : [[list, block, ref, vector[0], vector[1]]];
    }),
  );
  return { kind, qp: QPY, motion };
}

type Overlay = {
  readonly widthInMbs: number;
  readonly heightInMbs: number;
  readonly kinds: readonly number[];
  readonly qp: readonly number[];
  readonly refs: readonly number[];
  readonly vectors: readonly number[];
};

function seenByOverlay(overlay: Overlay): Seen[] {
  const macroblocks = overlay.widthInMbs * overlay.heightInMbs;
  return Array.from({ length: macroblocks }, (_, mb) => ({
    kind: kindOf(overlay.kinds[mb]!).name,
    qp: overlay.qp[mb]!,
    motion: [0, 1].flatMap((list) =>
      [0, 1, 2, 3].flatMap((block) => {
        const at = (list * macroblocks + mb) * 4 + block;
        const ref = overlay.refs[at]!;
        return ref < 0 ? [] : [[list, block, ref, overlay.vectors[2 * at]!, overlay.vectors[2 * at + 1]!]];
      }),
    ),
  }));
}

/** The last painted picture and the overlay's data of the very same one. */
async function frameWithOverlay(page: Page): Promise<{ readonly digest: string; readonly overlay: Overlay }> {
  for (;;) {
    const overlay = JSON.parse(
      await page.evaluate<string>(`JSON.stringify({
        ptsUs: window.tessera.frame().ptsUs,
        ...Object.fromEntries(Object.entries(window.tessera.inspection()).map(([name, value]) =>
          [name, typeof value === 'number' ? value : [...value]])),
      })`),
    ) as Overlay & { readonly ptsUs: number };
    const frame = await fetchFrame(page);
    if (frame.ptsUs === overlay.ptsUs) {
      return { digest: md5(frame.samples), overlay };
    }
  }
}

describeWith(['ffmpeg', 'chromium'], 'our decoder in the page', () => {
  let browser: Browser;
  let server: ServeProcess;
  let folder: string;
  let large: Clip;
  let small: Clip;
  const publishers: ChildProcess[] = [];

  function publish(clip: Clip, stream: string): void {
    const target = `${server.rtmp}/${stream}?key=${server.key}`;
    const args = ['-v', 'error', '-re', '-stream_loop', '-1', '-i', clip.flv, '-c', 'copy', '-f', 'flv', target];
    publishers.push(spawn('ffmpeg', args, { stdio: 'ignore' }));
  }

  beforeAll(async () => {
    ensurePages();
    folder = mkdtempSync(join(tmpdir(), 'tessera-inspector-'));
    large = makeClip(folder, 'large', 1280, 720, 60);
    small = makeClip(folder, 'small', 320, 176, 60);
    [server, browser] = await Promise.all([startServe([]), launchBrowser()]);
  }, 180_000);

  afterAll(async () => {
    publishers.forEach((publisher) => publisher.kill('SIGKILL'));
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  }, 60_000);

  test('the overlay agrees with probe on three frames, and freezes and steps', async () => {
    publish(small, 'small');
    const { page, problems, close } = await openPage(browser);
    await page.goto(`${server.http}/watch/small?rendition=source&decoder=wasm&inspect`);
    await waitForStats(page, "s.decoder === 'wasm' && s.painted > 30", 60_000);
    for (let n = 0; n < 3; n += 1) {
      const { digest, overlay } = await frameWithOverlay(page);
      const index = small.digests.indexOf(digest);
      expect(index).toBeGreaterThanOrEqual(0);
      const frame = decodingOrderOf(small.byteStream, index);
      const [picture] = probeFile(small.byteStream, { macroblocks: true, frame }).pictures!;
      expect(seenByOverlay(overlay)).toEqual(picture!.macroblocks.map(seenByProbe));
    }
    const shown = async (): Promise<number> =>
      Number(await page.evaluate<string>("document.querySelector('#inspector').dataset.ptsUs"));
    await page.getByRole('button', { name: 'Freeze' }).click();
    const frozen = await shown();
    await waitUntil(page, `window.tessera.frame().ptsUs > ${frozen + 5 * FRAME_US}`);
    expect(await shown()).toBe(frozen);
    const picturePath = process.env['INSPECTOR_PICTURE'];
    if (picturePath !== undefined) {
      await page.screenshot({ path: picturePath });
    }
    await page.getByRole('button', { name: 'Step' }).click();
    expect(Math.abs((await shown()) - frozen - FRAME_US)).toBeLessThan(FRAME_US / 2);
    await page.getByRole('button', { name: 'Go on' }).click();
    await waitUntil(page, `Number(document.querySelector('#inspector').dataset.ptsUs) > ${frozen + 5 * FRAME_US}`);
    expect(problems).toEqual([]);
    await close();
  }, 180_000);

  test('High with B-frames at 1280x720p30 plays, equal to ffmpeg', async () => {
    publish(large, 'large');
    const { page, problems, close } = await openPage(browser);
    await page.goto(`${server.http}/watch/large?rendition=source&decoder=wasm`);
    const stats = await waitForStats(page, "s.decoder === 'wasm' && s.painted > 30", 90_000);
    expect(stats).toMatchObject({ width: 1280, height: 720, decodeErrors: 0 });
    let last = -1;
    for (let n = 0; n < 4; n += 1) {
      await waitUntil(page, `window.tessera.frame().ptsUs > ${last}`, 60_000);
      const frame = await fetchFrame(page);
      expect(large.digests).toContain(md5(frame.samples));
      last = frame.ptsUs;
    }
    if (IS_LONG) {
      await waitForStats(page, `Math.abs(s.fps / ${FPS} - 1) <= 0.02`, 60_000);
    }
    expect(problems).toEqual([]);
    await close();
  }, 240_000);
});
