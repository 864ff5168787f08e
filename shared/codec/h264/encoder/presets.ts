// What each preset spends: the tools of the standard that it uses and how hard it searches. Called by H264Encoder.configure.

import type { EncoderPreset, EncoderProfile } from '../codec-types.ts';
import type { SearchEffort } from './motion-search.ts';

/** The knobs of mode decision. */
export type Tools = {
  readonly search16x16: SearchEffort;
  readonly searchParts: SearchEffort;
  /** P_8x8 and, where it promises, 16x8 and 8x16. */
  readonly partitions: boolean;
  /** Reference pictures. */
  readonly references: number;
  /** Rounding of the quantisers (fractions of a step). */
  readonly deadZones: { readonly intra: number; readonly inter: number };
  /** Intra_16x16 plane prediction is tried in P pictures too. */
  readonly planeInInter: boolean;
  readonly cabac: boolean;
  /** The 8x8 transform and Intra_8x8 (High). */
  readonly transform8x8: boolean;
  /** Explicit weighted prediction of fades (not in Baseline). */
  readonly weighted: boolean;
};

const FAST_SEARCH: SearchEffort = {
  rounds: 8,
  pattern: 4,
  halfRounds: 1,
  quarterRounds: 1,
  quarterPoints: 4,
  settledBits: 64,
};
const GOOD_SEARCH: SearchEffort = { ...FAST_SEARCH, rounds: 12, halfRounds: 2, quarterRounds: 2, settledBits: 24 };
const FULL_SEARCH: SearchEffort = {
  rounds: 16,
  pattern: 6,
  halfRounds: 2,
  quarterRounds: 2,
  quarterPoints: 8,
  settledBits: 0,
};

const DEAD_ZONES = { intra: 0.33, inter: 0.18 };

/** Profile of a preset when none is asked for: the fast ones stay in Constrained Baseline, which everything decodes. */
export function defaultProfileOf(preset: EncoderPreset): EncoderProfile {
  return preset === 'balanced' || preset === 'quality' ? 'high' : 'baseline';
}

/** The tools of a preset within a profile. `entropy` is CABAC where the profile has it, unless asked otherwise. */
export function toolsOf(preset: EncoderPreset, profile: EncoderProfile, entropy?: 'cavlc' | 'cabac'): Tools {
  const cabac = profile !== 'baseline' && entropy !== 'cavlc';
  const base = { deadZones: DEAD_ZONES, cabac, transform8x8: false, weighted: false };
  const isHigh = profile === 'high';
  switch (preset) {
    case 'ultrafast':
      return {
        ...base,
        search16x16: { ...FAST_SEARCH, rounds: 4, settledBits: 128 },
        searchParts: FAST_SEARCH,
        partitions: false,
        references: 1,
        planeInInter: false,
      };
    case 'fast':
      return {
        ...base,
        search16x16: FAST_SEARCH,
        searchParts: FAST_SEARCH,
        partitions: false,
        references: 1,
        planeInInter: false,
      };
    case 'balanced':
      return {
        ...base,
        search16x16: GOOD_SEARCH,
        searchParts: FAST_SEARCH,
        partitions: true,
        references: 1,
        planeInInter: true,
        transform8x8: isHigh,
        weighted: profile !== 'baseline',
      };
    case 'quality':
      return {
        ...base,
        search16x16: FULL_SEARCH,
        searchParts: GOOD_SEARCH,
        partitions: true,
        references: 3,
        planeInInter: true,
        transform8x8: isHigh,
        weighted: profile !== 'baseline',
      };
  }
}
