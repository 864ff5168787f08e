// Where `tessera publish` sends: one role, two protocols.

import { flvMetaDataTag, flvSequenceTag, flvUnitTag } from '../../../shared/containers/flv/flv-muxer.ts';
import { FLV_TAG_TYPES } from '../../../shared/containers/flv/flv-tag.ts';
import type { TrackConfig } from '../../../shared/media/access-unit.ts';
import { microseconds } from '../../../shared/media/time.ts';
import type { Microseconds } from '../../../shared/media/time.ts';
import type { RtmpClient } from '../clients/rtmp-client.ts';
import type { WebSocketPublisher } from '../clients/websocket-publisher.ts';
import type { SourceEvent } from './media-source.ts';

export interface PublishTarget {
  /** Sends one event of the source. Resolves when the connection can take more; rejects when it is over. */
  send(event: SourceEvent): Promise<void>;
  /** The wall clock that capture times are given on: the server's where the protocol can ask for it, else ours. */
  now(): Microseconds;
  /** Says goodbye. */
  close(): Promise<void>;
}

/** RTMP: tags go as they are, units are muxed. */
export class RtmpTarget implements PublishTarget {
  readonly #client: RtmpClient;
  readonly #tracks = new Map<string, TrackConfig>();

  constructor(client: RtmpClient) {
    this.#client = client;
  }

  async send(event: SourceEvent): Promise<void> {
    switch (event.kind) {
      case 'tag':
        await this.#client.send(event.tag);
        break;
      case 'track':
        await this.#announce(event.name, event.config);
        break;
      case 'unit': {
        const config = this.#tracks.get(event.name);
        if (config !== undefined) {
          await this.#client.send(flvUnitTag(config, event.unit));
        }
        break;
      }
      case 'frame':
        throw new TypeError('RTMP carries no raw pictures.');
    }
  }

  now(): Microseconds {
    return microseconds(Math.round((performance.timeOrigin + performance.now()) * 1000));
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #announce(name: string, config: TrackConfig): Promise<void> {
    this.#tracks.set(name, config);
    const metaData = flvMetaDataTag([...this.#tracks.values()]);
    await this.#client.send({ ...metaData, type: FLV_TAG_TYPES.script });
    const sequence = flvSequenceTag(config);
    if (sequence !== null) {
      await this.#client.send(sequence);
    }
  }
}

/** tessera.1: units with their capture time, or raw pictures. */
export class WebSocketTarget implements PublishTarget {
  readonly #publisher: WebSocketPublisher;

  constructor(publisher: WebSocketPublisher) {
    this.#publisher = publisher;
  }

  async send(event: SourceEvent): Promise<void> {
    switch (event.kind) {
      case 'track':
        this.#publisher.setTrack(event.name, event.config);
        break;
      case 'unit': {
        const captureTime = event.unit.captureTime ?? this.#publisher.now();
        this.#publisher.push(event.name, { ...event.unit, captureTime });
        await this.#publisher.drained();
        break;
      }
      case 'frame':
        this.#publisher.pushFrame(event.frame);
        event.frame.close();
        await this.#publisher.drained();
        break;
      case 'tag':
        throw new TypeError('tessera.1 carries units, not FLV tags.');
    }
  }

  now(): Microseconds {
    return this.#publisher.now();
  }

  close(): Promise<void> {
    return this.#publisher.close();
  }
}
