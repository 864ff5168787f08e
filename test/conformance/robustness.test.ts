// Damaged, crafted and odd streams end, report typed errors only, and give the pictures that can be had.

import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { BITSTREAM_ERRORS } from '../../shared/errors.ts';
import { decodeFrames } from '../support/decode-frames.ts';
import { conformanceDir, describeWith } from '../support/requirements.ts';

type Odd = { readonly file: string; readonly kind: string; readonly expected: readonly string[] | null };

/** Where another number of pictures than a strict decoder's is meant: damaged pictures are concealed and shown, not dropped. */
const CONCEALED: Readonly<Record<string, number>> = { 'dpb_frame_num_gap.264': 2 };

describeWith(['material'], 'robustness streams', () => {
  const streams = JSON.parse(readFileSync(`${conformanceDir}/robustness/manifest.json`, 'utf8')) as readonly Odd[];
  for (const stream of streams) {
    test(`survives ${stream.file}`, () => {
      const bytes = new Uint8Array(readFileSync(`${conformanceDir}/robustness/${stream.file}`));
      const started = performance.now();
      const { frames, errors } = decodeFrames([bytes]);
      expect(performance.now() - started).toBeLessThan(2000);
      for (const report of errors) {
        expect(BITSTREAM_ERRORS).toContain(report.code);
      }
      const count = Number(stream.expected?.[0]);
      if (Number.isInteger(count)) {
        expect(frames).toHaveLength(CONCEALED[stream.file] ?? count);
      }
    });
  }
});
