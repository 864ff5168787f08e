// Chooses who decodes a track: what the viewer asked for, else WebCodecs where the browser has it for this codec, else our own
// decoder where the codec is H.264. Our decoder's code is loaded only when it is needed.

import type { VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { DecoderChoice } from './decode-messages.ts';
import type { PictureBuffers } from './picture.ts';
import type { PictureDecoder, PictureDecoderEvents } from './picture-decoder.ts';
import { canDecodeByWebCodecs, WebCodecsPictureDecoder } from './webcodecs-picture-decoder.ts';

/** What the choice depends on. */
export type DecoderSituation = {
  readonly choice: DecoderChoice;
  /** Pictures are to come with how they were coded. */
  readonly inspect: boolean;
  readonly hasWebCodecs: boolean;
  /** The browser's decoder has failed on this stream before. */
  readonly avoidWebCodecs: boolean;
};

/** Nothing here can decode the track; the message is a sentence for the viewer. */
export class UnsupportedTrackError extends Error {
  override readonly name = 'UnsupportedTrackError';
}

const CODEC_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^avc[13]\./, 'H.264'],
  [/^(hvc1|hev1)\./, 'HEVC'],
  [/^av01\./, 'AV1'],
  [/^vp09\./, 'VP9'],
  [/^vp8/, 'VP8'],
];

/** Name of a codec for people. */
function codecName(codec: string): string {
  return CODEC_NAMES.find(([pattern]) => pattern.test(codec))?.[1] ?? codec;
}

/** True for codecs that our own decoder takes. */
export function isOurCodec(codec: string): boolean {
  return /^avc[13]\./.test(codec);
}

/** A configured decoder. Throws UnsupportedTrackError. */
export async function createPictureDecoder(
  config: VideoTrackConfig,
  situation: DecoderSituation,
  buffers: PictureBuffers,
  events: PictureDecoderEvents,
): Promise<PictureDecoder> {
  const { choice, hasWebCodecs } = situation;
  const mayUseWebCodecs = choice === 'webcodecs' || (choice === 'auto' && !situation.avoidWebCodecs);
  if (mayUseWebCodecs && hasWebCodecs && (await canDecodeByWebCodecs(config))) {
    const decoder = new WebCodecsPictureDecoder(buffers, events);
    decoder.configure(config);
    return decoder;
  }
  if (choice !== 'webcodecs' && isOurCodec(config.codec)) {
    const { WasmPictureDecoder } = await import('./wasm-picture-decoder.ts');
    const decoder = new WasmPictureDecoder(buffers, events, situation.inspect);
    decoder.configure(config);
    return decoder;
  }
  throw new UnsupportedTrackError(unsupportedSentence(config.codec, situation));
}

function unsupportedSentence(codec: string, { choice, hasWebCodecs }: DecoderSituation): string {
  const name = codecName(codec);
  if (choice === 'wasm') {
    return `This stream is ${name} (${codec}); the built-in decoder takes H.264 only.`;
  }
  return hasWebCodecs
    ? `This browser cannot decode ${name} (${codec}).`
    : `This stream is ${name} (${codec}), which needs a browser with WebCodecs on a secure page (https).`;
}
