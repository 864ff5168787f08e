// Branded identities, parsed once at the boundary.

/** Public name of a stream: `[A-Za-z0-9_-]{1,64}`. */
export type StreamId = string & { readonly brand: 'StreamId' };

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** The stream id, or null when the text is not one. */
export function parseStreamId(text: string): StreamId | null {
  return NAME.test(text) ? (text as StreamId) : null;
}
