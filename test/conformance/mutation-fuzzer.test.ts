// Seeded mutations of all dev/ streams: typed errors only, no case over two seconds, no growth. Prints a histogram of the outcomes.
// 2 000 cases, 20 000 in the long run.

import { expect, test } from '@jest/globals';
import { joinAnnexB, splitAnnexB } from '../../shared/bitstream/annex-b.ts';
import { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import { BITSTREAM_ERRORS } from '../../shared/errors.ts';
import { microseconds } from '../../shared/media/time.ts';
import { conformanceStreams, streamBytes } from '../support/conformance-streams.ts';
import { FUZZ_CASES, liveBytes } from '../support/fuzz.ts';
import { mutate, MUTATIONS } from '../support/mutate-stream.ts';
import { seededRandom } from '../support/random.ts';
import { describeWith } from '../support/requirements.ts';

const CASES = FUZZ_CASES;
/** NAL units and bytes of a case: enough for some pictures of every stream. */
const MAX_NAL_UNITS = 24;
const MAX_BYTES = 24_000;
/** How often it is looked what is alive, and over how many looks: the least counts. */
const CASES_PER_LOOK = CASES / 50;
const LOOKS = 10;
/** What may be alive at the end beside what was alive after a fifth of the cases. */
const MAX_GROWTH_BYTES = 4 * 1024 * 1024;

/** Adds the codes of errors to `outcome`; returns the number of frames. Nothing of the decoder is left behind. */
function decodeDamaged(nalUnits: readonly Uint8Array[], lowDelay: boolean, outcome: Set<string>): number {
  let frames = 0;
  const decoder = new H264Decoder({
    output: (frame) => {
      frames++;
      frame.close();
    },
    error: ({ code }) => outcome.add(code),
  });
  decoder.configure({ format: 'annexb', lowDelay });
  for (const nal of nalUnits) {
    decoder.decode({ type: 'key', timestamp: microseconds(0), data: joinAnnexB([nal]) });
  }
  decoder.flush();
  return frames;
}

describeWith(['material'], 'mutation fuzzer', () => {
  test(`${CASES} damaged streams give typed errors only, each in less than two seconds, and leave nothing behind`, () => {
    const sources = conformanceStreams.map((stream) => {
      const bytes = streamBytes(stream);
      const nalUnits: Uint8Array[] = [];
      let size = 0;
      for (const { start, end } of splitAnnexB(bytes)) {
        size += end - start;
        if (nalUnits.length >= 4 && (nalUnits.length >= MAX_NAL_UNITS || size > MAX_BYTES)) {
          break;
        }
        nalUnits.push(bytes.slice(start, end));
      }
      return { name: stream.name, nalUnits };
    });
    const histogram = new Map<string, number>();
    const failures: string[] = [];
    let reached = 0;
    let slowest = 0;
    const live: number[] = [];
    for (let i = 0; i < CASES; i++) {
      if (i % CASES_PER_LOOK === 0) {
        live.push(liveBytes());
      }
      const random = seededRandom(1000 + i);
      const source = sources[i % sources.length];
      const mutation = MUTATIONS[random(MUTATIONS.length)];
      const damaged = mutate(source.nalUnits, mutation, random);
      const started = process.cpuUsage();
      const outcome = new Set<string>();
      let frames = 0;
      try {
        frames = decodeDamaged(damaged, random(2) === 0, outcome);
      } catch (error) {
        failures.push(`case ${i} ${source.name} ${mutation}: ${(error as Error).stack?.slice(0, 400) ?? ''}`);
      }
      // CPU time: other work on the machine does not count.
      const { user, system } = process.cpuUsage(started);
      slowest = Math.max(slowest, (user + system) / 1000);
      reached += frames > 0 ? 1 : 0;
      const key = [...outcome].sort().join('+') || 'clean';
      histogram.set(key, (histogram.get(key) ?? 0) + 1);
      for (const code of outcome) {
        expect(BITSTREAM_ERRORS).toContain(code);
      }
    }
    const grown = Math.min(...live.slice(-LOOKS)) - Math.min(...live.slice(0, LOOKS));
    const rows = [...histogram].sort((a, b) => b[1] - a[1]).map(([key, count]) => `  ${count}  ${key}`);
    process.stdout.write(
      `fuzzer: ${CASES} cases, ${reached} reached slice data, slowest ${slowest.toFixed(0)} ms, ` +
        `${(grown / 1_048_576).toFixed(1)} MB more alive\n${rows.join('\n')}\n`,
    );
    expect(failures).toEqual([]);
    expect(reached).toBeGreaterThan(CASES / 2);
    expect(slowest).toBeLessThan(2000);
    expect(grown).toBeLessThan(MAX_GROWTH_BYTES);
  }, 1_800_000);
});
