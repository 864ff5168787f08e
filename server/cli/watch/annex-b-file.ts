// Writes the access units of an H.264 track as a byte stream (Annex B): parameter sets before each key picture.
// Used by `tessera watch -o`.

import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { joinAnnexB } from '../../../shared/bitstream/annex-b.ts';
import { parseAvcDecoderConfigurationRecord, splitLengthPrefixed } from '../../../shared/bitstream/avcc.ts';
import type { AvcDecoderConfigurationRecord } from '../../../shared/bitstream/avcc.ts';
import { ProtocolError } from '../../../shared/errors.ts';
import type { TrackConfig } from '../../../shared/media/access-unit.ts';

export class AnnexBFile {
  readonly #stream: Writable;
  #record: AvcDecoderConfigurationRecord | null = null;
  #failure: Error | null = null;

  constructor(path: string) {
    this.#stream = path === '-' ? process.stdout : createWriteStream(path);
    this.#stream.on('error', (error) => (this.#failure = error));
  }

  /** Throws ProtocolError `unsupported-codec` for a track that is not H.264. */
  configure(config: TrackConfig): void {
    if (!config.codec.startsWith('avc1') || config.description === undefined) {
      throw new ProtocolError('unsupported-codec', `-o writes H.264; this track is ${config.codec}.`);
    }
    this.#record = parseAvcDecoderConfigurationRecord(config.description);
  }

  write(unit: { readonly isKey: boolean; readonly data: Uint8Array }): void {
    if (this.#failure !== null) {
      throw this.#failure;
    }
    if (this.#record === null) {
      return;
    }
    const { lengthSize, sequenceParameterSets, pictureParameterSets } = this.#record;
    const nals = splitLengthPrefixed(unit.data, lengthSize).map(({ start, end }) => unit.data.subarray(start, end));
    const sets = unit.isKey ? [...sequenceParameterSets, ...pictureParameterSets] : [];
    this.#stream.write(joinAnnexB([...sets, ...nals]));
  }

  /** Resolves when everything is written. Rejects when the file could not be written. */
  async close(): Promise<void> {
    if (this.#stream !== process.stdout) {
      this.#stream.end();
      if (this.#failure === null) {
        await once(this.#stream, 'finish');
      }
    }
    if (this.#failure !== null) {
      throw this.#failure;
    }
  }
}
