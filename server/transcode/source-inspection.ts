// What can be told about a source before its first unit: whether our own decoder takes it, and by how many pictures it reorders.
// Reads the parameter sets of the track's configuration record. Called by transcoder.ts.

import type { VideoTrackConfig } from '../../shared/media/access-unit.ts';
import { parseAvcDecoderConfigurationRecord } from '../../shared/bitstream/avcc.ts';
import { parseNalUnit } from '../../shared/codec/h264/syntax/nal-unit.ts';
import { parseSps, type SequenceParameterSet } from '../../shared/codec/h264/syntax/sps.ts';

export type SourceInspection = {
  readonly isH264: boolean;
  /** Null: our decoder takes it, as far as the parameter sets tell. Else what it lacks, as the object of a sentence. */
  readonly missingInOurs: string | null;
  /** Pictures that may have to wait for another one before they are shown, 0..16. */
  readonly reorderDepth: number;
};

/** Without VUI an encoder may use any depth up to the DPB's; live encoders use at most this. */
const USUAL_REORDER_DEPTH = 2;

export function inspectSource(config: VideoTrackConfig): SourceInspection {
  if (!/^avc[13]\./.test(config.codec)) {
    return { isH264: false, missingInOurs: config.codec, reorderDepth: 0 };
  }
  const sps = readSps(config.description);
  if (sps === null) {
    return { isH264: true, missingInOurs: null, reorderDepth: USUAL_REORDER_DEPTH };
  }
  return { isH264: true, missingInOurs: missingFeature(sps), reorderDepth: reorderDepthOf(sps) };
}

function readSps(description: Uint8Array | undefined): SequenceParameterSet | null {
  if (description === undefined) {
    return null;
  }
  try {
    const [first] = parseAvcDecoderConfigurationRecord(description).sequenceParameterSets;
    return first === undefined ? null : parseSps(parseNalUnit(first).rbsp);
  } catch {
    return null; // a damaged set: the decoder says what is wrong when it meets it
  }
}

/** What our decoder does not have, or null. It takes Baseline, Main and High with 8 bits in 4:2:0, progressive and interlaced. */
function missingFeature(sps: SequenceParameterSet): string | null {
  const checks: readonly (readonly [boolean, string])[] = [
    [sps.chroma_format_idc > 1, 'a chroma format other than 4:2:0'],
    [sps.bit_depth_luma_minus8 + sps.bit_depth_chroma_minus8 > 0, 'more than 8 bits per sample'],
  ];
  return checks.find(([isMissing]) => isMissing)?.[1] ?? null;
}

function reorderDepthOf(sps: SequenceParameterSet): number {
  const isBaseline = sps.profile_idc === 66;
  if (isBaseline || sps.pic_order_cnt_type === 2) {
    return 0;
  }
  return sps.vui?.bitstream_restriction?.max_num_reorder_frames ?? USUAL_REORDER_DEPTH;
}
