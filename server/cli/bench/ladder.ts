// `tessera bench ladder`: 720p, 480p and 360p of a 720p30 feed with preset `fast`, by the pipeline that the server runs: CPU of the
// decoder and of each rendition (scaling included), and how much faster than the feed it goes, on one thread and on two.

import type { AccessUnit, VideoTrackConfig } from '../../../shared/media/access-unit.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { productionCodecs } from '../../transcode/production-codecs.ts';
import { ThreadLane } from '../../transcode/rendition-lane.ts';
import { ladderFor } from '../../transcode/rendition-ladder.ts';
import { SourcePipeline } from '../../transcode/source-pipeline.ts';
import { threadCpuMs } from '../../transcode/thread-cpu.ts';
import { sharedNow } from '../../transcode/worker-messages.ts';
import { H264Source } from '../publish/h264-source.ts';
import type { BenchOptions, BenchResult, BenchRow } from './bench-result.ts';
import { codedClip } from './clips.ts';

const FPS = 30;

type Feed = { readonly config: VideoTrackConfig; readonly units: readonly AccessUnit[] };

async function readFeed(file: string): Promise<Feed> {
  let config: VideoTrackConfig | null = null;
  const units: AccessUnit[] = [];
  for await (const event of new H264Source(file, { fps: FPS }).events()) {
    if (event.kind === 'unit') {
      units.push(event.unit);
    } else if (event.kind === 'track' && event.config.kind === 'video') {
      config = { ...event.config, fps: FPS };
    }
  }
  if (config === null) {
    throw new Error(`${file} has no track.`);
  }
  return { config, units };
}

type Figures = {
  /** CPU milliseconds, per name of what was done. */
  readonly cpuMs: ReadonlyMap<string, number>;
  readonly frames: number;
  readonly wallMs: number;
};

/** Runs the feed `passes` times on end, after once for the just-in-time compiler. */
function runLadder({ config, units }: Feed, lanes: readonly ThreadLane[], passes: number): Figures {
  const cpuMs = new Map<string, number>();
  const ladder = ladderFor(config);
  let frames = 0;
  const fail = (sentence: string): never => {
    throw new Error(sentence);
  };
  const pipeline = new SourcePipeline(
    { config, decoder: { kind: 'tessera' } },
    {
      codecs: productionCodecs,
      lanes,
      events: {
        onConfig: () => undefined,
        onUnit: () => {
          frames++;
        },
        onPicture: () => undefined,
        onDropped: (reason) => fail(`A picture was dropped: ${reason}.`),
        onCost: (work, { height }, ms) => {
          const name = work === 'decode' ? work : `${height}p`;
          cpuMs.set(name, (cpuMs.get(name) ?? 0) + ms);
        },
        onUnsupported: fail,
        onDecoderDied: fail,
      },
      now: sharedNow,
      cpuNow: threadCpuMs,
      newestIndex: () => 0,
      onPhase: () => undefined,
      decodeBudgetMs: Infinity,
      lateMs: Infinity,
    },
  );
  for (const rendition of ladder) {
    pipeline.addRendition(rendition);
  }
  const passUs = (units.length * 1_000_000) / FPS;
  const runPass = (pass: number): void => {
    for (const [i, unit] of units.entries()) {
      const [pts, dts] = [unit.pts, unit.dts].map((time) => microseconds(Math.round(time + pass * passUs)));
      const moved = { ...unit, pts: pts ?? unit.pts, dts: dts ?? unit.dts };
      pipeline.push({ unit: moved, isCatchUp: false, queuedAt: sharedNow(), index: pass * units.length + i });
    }
  };
  runPass(0);
  cpuMs.clear();
  frames = 0;
  const startedAt = performance.now();
  for (let pass = 1; pass <= passes; pass++) {
    runPass(pass);
  }
  const wallMs = performance.now() - startedAt;
  void pipeline.close();
  if (frames !== ladder.length * units.length * passes) {
    throw new Error(`${frames} pictures came out of ${units.length * passes} in ${ladder.length} renditions.`);
  }
  return { cpuMs, frames: units.length * passes, wallMs };
}

/** CPU per rendition, and the time against real time, on one thread and on two. */
export async function benchLadder(options: BenchOptions): Promise<BenchResult> {
  const feed = await readFeed(codedClip(options.cacheDir, 'bbb720', 'baseline', 3000));
  const rows: BenchRow[] = [];
  const notes: string[] = [];
  for (const threads of [1, 2]) {
    options.progress(`the ladder on ${threads} threads`);
    const lanes = Array.from({ length: threads - 1 }, () => new ThreadLane());
    await Promise.all(lanes.map(({ started }) => started));
    const { cpuMs, frames, wallMs } = runLadder(feed, lanes, options.isLong ? 8 : 2);
    for (const [work, ms] of cpuMs) {
      rows.push({ threads, work, 'ms CPU per frame': ms / frames, 'cores at 30 fps': (ms * FPS) / (1000 * frames) });
    }
    const sum = [...cpuMs.values()].reduce((total, ms) => total + ms, 0);
    const factor = (1000 * frames) / FPS / wallMs;
    rows.push({
      threads,
      work: 'all',
      'ms CPU per frame': sum / frames,
      'cores at 30 fps': (sum * FPS) / (1000 * frames),
      'ms per frame': wallMs / frames,
      'x of real time': factor,
    });
    notes.push(
      `${threads} thread${threads > 1 ? 's' : ''}: ${factor.toFixed(2)}x of real time; target 1x ${factor >= 1 ? 'met' : 'missed'}.`,
    );
  }
  return { name: 'ladder: 720p 480p 360p of a 720p30 feed, preset fast', rows, notes };
}
