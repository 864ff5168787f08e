// The CAVLC block kernel equals its reference on random bits: same coefficients, same position, same fault.
import { expect, test } from '@jest/globals';
import {
  CAVLC_FAULTS,
  CAVLC_RESULT_BYTES,
  CAVLC_TABLES_BYTES,
  placeCavlcTables,
} from '../../shared/codec/h264/kernels/residual-kernels.ts';
import { ZIGZAG_4X4 } from '../../shared/codec/h264/tables/transform.generated.ts';
import { seededRandom } from '../support/random.ts';
import { BUILDS, reconstructionArena } from './reconstruction-arena.ts';

const tables = new Uint8Array(CAVLC_TABLES_BYTES);
placeCavlcTables(tables, 0);

for (const build of BUILDS) {
  test(`${build}: blocks of random bits parse as by the reference, faults included`, () => {
    const arena = reconstructionArena(build);
    const random = seededRandom(101);
    const { base } = arena;
    const [tablesAt, scan, scale, result, out, data] = [
      base,
      base + 12288,
      base + 12544,
      base + 13312,
      base + 13824,
      base + 16384,
    ];
    arena.fillSamples('random', 5);
    arena.write(tablesAt, tables);
    arena.write(scan, ZIGZAG_4X4);
    arena.writeInts(
      scale,
      Array.from({ length: 16 }, () => 160 + random(5000)),
    );
    const outcomes = new Map<number, number>();
    for (let round = 0; round < 30000; round++) {
      if (round % 300 === 0) {
        // sparse ones make long prefixes and zero runs
        const density = [2, 3, 5, 12][(round / 300) % 4]!;
        arena.write(
          data,
          Array.from({ length: 1024 }, () => {
            let byte = 0;
            for (let i = 0; i < 8; i++) {
              byte = (byte << 1) | (random(density) === 0 ? 1 : 0);
            }
            return byte;
          }),
        );
      }
      const maxNumCoeff = [4, 15, 16][random(3)]!;
      const nC = maxNumCoeff === 4 ? -1 : random(17);
      const isScaled = maxNumCoeff !== 4 && random(4) > 0;
      const [position, start] = [random(7000), maxNumCoeff === 15 ? 1 : 0];
      const length = random(20) === 0 ? position + random(12) : 8192;
      const shift = random(2) === 0 ? 4 : 6;
      arena.compare(
        `round ${round} nC ${nC} max ${maxNumCoeff}`,
        (k) => {
          const total = k.cavlcBlock(
            data,
            position,
            length,
            nC,
            maxNumCoeff,
            out,
            scan + start,
            isScaled ? scale : 0,
            shift,
            tablesAt,
            result,
          );
          outcomes.set(total, (outcomes.get(total) ?? 0) + 1);
          return total;
        },
        { at: result + 16, byteLength: CAVLC_RESULT_BYTES - 16 },
      );
    }
    // every number of coefficients and nearly every fault has been met
    const seen = [...outcomes.keys()].sort((a, b) => a - b);
    expect(seen.filter((total) => total >= 0)).toEqual(Array.from({ length: 17 }, (_, total) => total));
    expect(seen.filter((total) => total < 0).length).toBeGreaterThanOrEqual(CAVLC_FAULTS.length - 2);
  });
}
