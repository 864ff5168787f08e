// A PublishAdmission that keeps what publishers send: keys, takeover by the same key, refusals as the contract words them.

import { ProtocolError } from '../../shared/errors.ts';
import type { AccessUnit, TrackConfig } from '../../shared/media/access-unit.ts';
import type { PublishAdmission, PublisherSlot, PublishRequest } from '../../server/streams/roles.ts';

/** One publisher's life. */
export class RecordedPublisher {
  readonly request: PublishRequest;
  readonly epoch: number;
  readonly tracks: (readonly [string, TrackConfig])[] = [];
  readonly units: (readonly [string, AccessUnit])[] = [];
  end: 'finished' | 'lost' | 'revoked' | null = null;

  constructor(request: PublishRequest, epoch: number) {
    this.request = request;
    this.epoch = epoch;
  }

  unitsOf(track: string): AccessUnit[] {
    return this.units.filter(([name]) => name === track).map(([, unit]) => unit);
  }
}

export class RecordingAdmission implements PublishAdmission {
  /** Every publisher that was let in, in order. */
  readonly publishers: RecordedPublisher[] = [];
  readonly #keys: ReadonlySet<string>;
  /** The same key takes a stream over at once, as if its publisher were silent. */
  readonly #allowsTakeover: boolean;

  constructor(options: { readonly keys: readonly string[]; readonly allowsTakeover?: boolean }) {
    this.#keys = new Set(options.keys);
    this.#allowsTakeover = options.allowsTakeover ?? false;
  }

  open(request: PublishRequest): PublisherSlot {
    if (!this.#keys.has(request.key)) {
      throw new ProtocolError('wrong-key', 'The key does not fit the stream.');
    }
    const holder = this.publishers.find(
      (publisher) => publisher.request.streamId === request.streamId && publisher.end === null,
    );
    if (holder !== undefined) {
      if (!this.#allowsTakeover || holder.request.key !== request.key) {
        throw new ProtocolError('busy', 'The stream has a publisher.');
      }
      holder.end = 'revoked';
      holder.request.onRevoked('busy', 'Another publisher took the stream over.');
    }
    const epoch = this.publishers.filter(({ request: { streamId } }) => streamId === request.streamId).length + 1;
    const publisher = new RecordedPublisher(request, epoch);
    this.publishers.push(publisher);
    return {
      streamId: request.streamId,
      epoch,
      setTrack: (name, config) => publisher.tracks.push([name, config]),
      push: (name, unit) => publisher.units.push([name, unit]),
      close: (how) => (publisher.end ??= how),
    };
  }
}
