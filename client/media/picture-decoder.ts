// The role of a video decoder in the page: takes access units, gives packed I420 pictures. Implemented by WebCodecs
// (webcodecs-picture-decoder.ts) and by our own decoder (wasm-picture-decoder.ts); picture-decoder-choice.ts picks.

import type { VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { Picture } from './picture.ts';

/** One access unit, length-prefixed for H.264 and HEVC. */
export type EncodedPicture = { readonly isKey: boolean; readonly ptsUs: number; readonly data: Uint8Array };

/** Who decodes. */
export type DecoderKind = 'webcodecs' | 'wasm';

/** What the owner of a decoder is told, and asked. */
export type PictureDecoderEvents = {
  /** False for pictures that will never be painted: their samples need not be fetched. */
  readonly wants: (ptsUs: number) => boolean;
  /** A wanted picture, in output order. */
  readonly onPicture: (picture: Picture) => void;
  /** A picture that was not wanted. */
  readonly onSkipped: (ptsUs: number) => void;
  /** Damage or failure. `isFatal`: this decoder can do no more until it is configured again and given a key picture. */
  readonly onError: (sentence: string, isFatal: boolean) => void;
};

export interface PictureDecoder {
  readonly kind: DecoderKind;
  /** Access units given and not yet answered by a picture. */
  readonly pending: number;
  /** Starts anew for a track configuration; what is pending is forgotten. */
  configure(config: VideoTrackConfig): void;
  /** The first unit after configure() must be a key picture. */
  decode(unit: EncodedPicture): void;
  /** Everything given comes out now; the next unit must be a key picture. */
  flush(): void;
  close(): void;
}
