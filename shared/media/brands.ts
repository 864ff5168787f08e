// Branded identities, parsed once at the boundary.

/** Public name of a stream: `[A-Za-z0-9_-]{1,64}`. */
export type StreamId = string & { readonly brand: 'StreamId' };
/** Secret of a publisher. Never logged, never stored in telemetry. */
export type StreamKey = string & { readonly brand: 'StreamKey' };

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** The stream id, or null when the text is not one. */
export function parseStreamId(text: string): StreamId | null {
  return NAME.test(text) ? (text as StreamId) : null;
}

/** The stream key, or null when the text cannot be one. */
export function parseStreamKey(text: string): StreamKey | null {
  return NAME.test(text) ? (text as StreamKey) : null;
}
