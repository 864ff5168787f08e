// The pictures of an H.264 file, decoded by our decoder, for `publish --raw` and `--encode`. Audio passes through unchanged.

import { H264Decoder } from '../../../shared/codec/h264/decoder.ts';
import { ProtocolError } from '../../../shared/errors.ts';
import type { TrackConfig } from '../../../shared/media/access-unit.ts';
import type { MediaSource, PictureSource, SourceEvent } from './media-source.ts';

const DEFAULT_FPS = 25;

export class DecodingSource implements PictureSource {
  readonly #source: MediaSource;
  #fps = DEFAULT_FPS;

  constructor(source: MediaSource) {
    this.#source = source;
  }

  get framerate(): { readonly numerator: number; readonly denominator: number } {
    return { numerator: Math.round(this.#fps * 1000), denominator: 1000 };
  }

  async *events(): AsyncGenerator<SourceEvent> {
    let frames: SourceEvent[] = [];
    const decoder = new H264Decoder({
      output: (frame) => frames.push({ kind: 'frame', frame }),
      error: () => undefined, // damage is concealed, as in a player
    });
    for await (const event of this.#source.events()) {
      if (event.kind === 'track' && event.name === 'video') {
        decoder.flush();
        this.#configure(decoder, event.config);
      } else if (event.kind === 'unit' && event.name === 'video') {
        const { pts, data, priority } = event.unit;
        decoder.decode({ type: priority === 'key' ? 'key' : 'delta', timestamp: pts, data });
      } else {
        yield event;
      }
      yield* frames;
      frames = [];
    }
    decoder.flush();
    yield* frames;
    decoder.close();
  }

  #configure(decoder: H264Decoder, config: TrackConfig): void {
    if (!config.codec.startsWith('avc1') || config.description === undefined || config.kind !== 'video') {
      throw new ProtocolError('unsupported-codec', `--raw and --encode decode H.264; this file has ${config.codec}.`);
    }
    this.#fps = config.fps ?? DEFAULT_FPS;
    decoder.configure({ format: 'avc', description: config.description });
  }
}
