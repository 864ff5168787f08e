// What a stream can be, and the legal moves. Viewers see `stalled` without a publisher as "reconnecting".

import { assert } from '../../shared/assert.ts';
import type { ViewerState } from '../../shared/protocol/viewer-messages.ts';

/** Times are Unix epoch milliseconds. */
export type StreamState =
  | { readonly kind: 'idle' }
  /** A publisher holds the slot and sends. */
  | { readonly kind: 'live'; readonly sinceMs: number }
  /** Silence for `limits.stalledMs`, or (`hasPublisher` false) the connection is gone and a reconnect is awaited. */
  | { readonly kind: 'stalled'; readonly sinceMs: number; readonly hasPublisher: boolean }
  | { readonly kind: 'ended'; readonly sinceMs: number };

type Kind = StreamState['kind'];

const MOVES: Readonly<Record<Kind, readonly Kind[]>> = {
  idle: ['live'],
  live: ['live', 'stalled', 'ended'], // live to live: a takeover between two units
  stalled: ['live', 'stalled', 'ended'],
  ended: ['live'],
};

/** The next state, when the move is legal. */
export function moveTo(from: StreamState, to: StreamState): StreamState {
  assert(MOVES[from.kind].includes(to.kind), `a stream never goes from ${from.kind} to ${to.kind}`);
  return to;
}

/** The state as viewers are told. */
export function viewerState(state: StreamState): ViewerState {
  switch (state.kind) {
    case 'idle':
      return 'reconnecting';
    case 'live':
      return 'live';
    case 'stalled':
      return state.hasPublisher ? 'stalled' : 'reconnecting';
    case 'ended':
      return 'ended';
  }
}
