// VPCodecConfigurationRecord (VP Codec ISO Media File Format Binding 1.0, 2.2) from a codec string: WebM carries none, Enhanced RTMP
// needs one. Used by flv-muxer.ts.

import type { VideoTrackConfig } from '../../media/access-unit.ts';

const CHROMA_420_COLOCATED = 1;

/** The record of `vp09.PP.LL.DD[.CC...]`. Fields that the string leaves out are 4:2:0 and the colour of the track. */
export function vp9Record({ codec, colour }: Pick<VideoTrackConfig, 'codec' | 'colour'>): Uint8Array {
  const [profile = 0, level = 10, depth = 8, chroma = CHROMA_420_COLOCATED] = codec.split('.').slice(1).map(Number);
  return Uint8Array.of(
    profile,
    level,
    (depth << 4) | (chroma << 1) | (colour.video_full_range_flag ? 1 : 0),
    colour.colour_primaries,
    colour.transfer_characteristics,
    colour.matrix_coefficients,
    0,
    0, // codecInitializationDataSize
  );
}
