// The CAVLC block kernel equals its reference on random bits: same coefficients, same position, same fault.
import { expect, test } from '@jest/globals';
import {
  BLOCK_4X4,
  BLOCK_8X8_FIELD,
  BLOCK_8X8_FRAME,
  BLOCK_CHROMA_DC,
  CABAC_TABLES_BYTES,
  placeCabacTables,
} from '../../shared/codec/h264/kernels/cabac-residual-kernels.ts';
import {
  CAVLC_FAULTS,
  CAVLC_RESULT_BYTES,
  CAVLC_TABLES_BYTES,
  placeCavlcTables,
} from '../../shared/codec/h264/kernels/residual-kernels.ts';
import { ZIGZAG_4X4, ZIGZAG_8X8 } from '../../shared/codec/h264/tables/transform.generated.ts';
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

  test(`${build}: CABAC blocks of random bytes parse as by the reference, engine and contexts included`, () => {
    const arena = reconstructionArena(build);
    const random = seededRandom(103);
    const { base } = arena;
    const [engine, cabacTables, contexts, scan, scale, out, data] = [
      base,
      base + 256,
      base + 1024,
      base + 2560,
      base + 3072,
      base + 4096,
      base + 8192,
    ];
    const tableBytes = new Uint8Array(CABAC_TABLES_BYTES);
    placeCabacTables(tableBytes, 0);
    arena.fillSamples('random', 5);
    arena.write(cabacTables, tableBytes);
    arena.write(scan, ZIGZAG_8X8);
    arena.writeInts(
      scale,
      Array.from({ length: 64 }, () => 160 + random(5000)),
    );
    const totals = new Set<number>();
    for (let round = 0; round < 20000; round++) {
      if (round % 100 === 0) {
        const density = [2, 4, 30, 1][(round / 100) % 4]!;
        arena.write(
          data,
          Array.from({ length: 512 }, () => (random(density) === 0 ? random(256) : 255)),
        );
        arena.write(
          contexts,
          Array.from({ length: 1024 }, () => random(124)),
        );
        arena.writeInts(engine, [510, random(510), 0, random(300), 400 + random(100), data, contexts, cabacTables]);
      }
      const [kind, maxNumCoeff] = [
        [BLOCK_4X4, 16],
        [BLOCK_4X4, 15],
        [BLOCK_8X8_FRAME, 64],
        [BLOCK_8X8_FIELD, 64],
        [BLOCK_CHROMA_DC, 4],
      ][random(5)] as [number, number];
      const isScaled = kind !== BLOCK_CHROMA_DC && random(4) > 0;
      const flag = random(3) === 0 ? -1 : 85 + random(20);
      const [significant, last, levels] = [105 + random(60), 166 + random(60), 227 + random(40)];
      arena.compare(`round ${round} kind ${kind}`, (k) => {
        const total = k.cabacBlock(
          engine,
          flag,
          significant,
          last,
          levels,
          maxNumCoeff,
          kind,
          out,
          scan,
          isScaled ? scale : 0,
          kind === BLOCK_4X4 ? 4 : 6,
        );
        totals.add(total);
        return total;
      });
    }
    expect(totals.size).toBeGreaterThan(20);
    expect(totals).toContain(0);
    expect(totals).toContain(-1);
  });
}
