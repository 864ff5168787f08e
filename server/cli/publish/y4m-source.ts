// Y4M files as a MediaSource of pictures, for --raw and --encode.

import { createReadStream } from 'node:fs';
import { openY4m } from '../../../shared/containers/y4m.ts';
import type { PictureSource, SourceEvent } from './media-source.ts';

const READ_BYTES = 1024 * 1024;

export class Y4mSource implements PictureSource {
  readonly #path: string;
  #fps = { numerator: 25, denominator: 1 };

  constructor(path: string) {
    this.#path = path;
  }

  /** Frame rate of the file; known once the first picture was read. */
  get framerate(): { readonly numerator: number; readonly denominator: number } {
    return this.#fps;
  }

  async *events(): AsyncGenerator<SourceEvent> {
    const chunks = this.#path === '-' ? process.stdin : createReadStream(this.#path, { highWaterMark: READ_BYTES });
    const { header, frames } = await openY4m(chunks);
    this.#fps = header.framerate;
    for await (const frame of frames) {
      yield { kind: 'frame', frame };
    }
  }
}
