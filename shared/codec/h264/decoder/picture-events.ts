// What the picture decoder tells its owner, decoder.ts.

import type { BitstreamErrorCode } from '../../../errors.ts';
import type { Picture, Structure } from '../dpb/picture.ts';

/** Numbers of an access unit and of the NAL unit in it. */
export type NalPlace = { readonly accessUnit: number; readonly nal: number };

/** What the picture decoder tells its owner. */
export type PictureEvents = {
  /** A frame in output order. */
  readonly output: (picture: Picture) => void;
  /** `place` when the damage is in an earlier NAL unit than the current one. */
  readonly error: (code: BitstreamErrorCode, bitOffset: number, place?: NalPlace) => void;
  /** Where in the stream the current NAL unit lies; asked with a second thread. */
  readonly place?: () => NalPlace;
  /** A picture is complete and deblocked, before it may be output: for the trace. */
  readonly decoded: (picture: Picture, structure: Structure) => void;
};
