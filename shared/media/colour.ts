// Colour description of a picture: the code points of ITU-T H.273, as H.264's VUI carries them (E.2.1).

/** H.273 code points; 2 means unspecified. */
export type ColourDescription = {
  readonly colour_primaries: number; // 0..255
  readonly transfer_characteristics: number; // 0..255
  readonly matrix_coefficients: number; // 0..255
  readonly video_full_range_flag: boolean;
};

/** BT.709, limited range: what HD cameras and OBS send by default. */
export const BT709_LIMITED: ColourDescription = {
  colour_primaries: 1,
  transfer_characteristics: 1,
  matrix_coefficients: 1,
  video_full_range_flag: false,
};

/** Nothing said: players assume BT.709 for HD and BT.601 below. */
export const UNSPECIFIED_COLOUR: ColourDescription = {
  colour_primaries: 2,
  transfer_characteristics: 2,
  matrix_coefficients: 2,
  video_full_range_flag: false,
};
