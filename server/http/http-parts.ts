// What the HTTP room serves and does not make itself: the composition root hands it in.

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TelemetryEvent } from '../../shared/telemetry/events.ts';
import type { PeerErrorCode } from '../../shared/errors.ts';
import type { PeerRequest, WebSocketPeer } from '../platform/web-socket-peer.ts';
import type { CapacityReport } from '../read-models/capacity.ts';
import type { HealthReport } from '../read-models/health.ts';
import type { DataWindows } from '../read-models/data-windows.ts';
import type { History } from '../read-models/history.ts';
import type { IngestInfo } from '../read-models/ingest-info.ts';
import type { ServerInfo } from '../read-models/server-info.ts';
import type { StreamStatus } from '../read-models/stream-status.ts';

/** The connection of somebody who reads one endless body. */
export interface BodyOutlet {
  readonly waitingBytes: number;
  readonly takenBytes: number;
  readonly answersPings: boolean;
  write(chunks: readonly Uint8Array[]): void;
  end(code: PeerErrorCode, sentence: string): void;
  terminate(): void;
  ping(): void;
}

/** FLV over HTTP. Both throw ProtocolError; `watch` does so before it writes anything. */
interface LiveBodies {
  check(stream: string, request: Pick<PeerRequest, 'query'>): void;
  watchHttp(outlet: BodyOutlet, stream: string, request: PeerRequest): { onDrain(): void; onClose(): void };
}

/** Takes an accepted WebSocket for the stream that its path names. */
export type AcceptPeer = (peer: WebSocketPeer, stream: string) => void;

export type HttpParts = {
  readonly publish: AcceptPeer;
  readonly subscribe: AcceptPeer;
  readonly liveWebSocket: AcceptPeer;
  readonly live: LiveBodies;
  readonly streams: { statuses(): StreamStatus[] };
  /** `unknown` where no window has spoken lately. */
  readonly health: (stream: string) => HealthReport;
  /** Whether anything is known of the stream's past. */
  readonly hasHistory: (stream: string) => boolean;
  /** Windows over events of other sources. Times in epoch ms. Throws RangeError when asked for nonsense. */
  readonly data: (stream: string, range: { from: number; to: number }) => DataWindows;
  /** Takes so many events of the stream, or none: false. */
  readonly takeEvents: (stream: string, count: number) => boolean;
  /** The server's wall clock. */
  readonly epochMs: () => number;
  /** Times in epoch ms. Throws RangeError when asked for nonsense. */
  readonly history: (stream: string, range: { from: number; to: number; step: number }) => History;
  readonly server: ServerInfo;
  readonly ingest: () => IngestInfo;
  readonly capacity: () => CapacityReport;
  /** Throws ProtocolError `wrong-key`. */
  readonly checkKey: (stream: string, key: string) => void;
  readonly report: (event: TelemetryEvent) => void;
  /** Counts a refusal. */
  readonly refused: (code: PeerErrorCode) => void;
  /** Null when everything works; else what is not ready, in one sentence. */
  readonly notReady: () => string | null;
};

/** Lets operators pass and answers everybody else with 401. */
export type OperatorGuard = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;
