// The WebSocket addresses of the server that a page came from.

/** `ws(s)://HOST/subscribe/STREAM` with the viewer's choices. */
export function subscribeUrl(
  origin: string,
  stream: string,
  options: {
    readonly rendition?: string;
    readonly flushClass?: 'realtime' | 'normal';
    /** Session of the connection that this one replaces, so that the viewer counts once. */
    readonly after?: string;
  },
): string {
  const url = new URL(`/subscribe/${encodeURIComponent(stream)}`, origin.replace(/^http/, 'ws'));
  if (options.rendition !== undefined) {
    url.searchParams.set('rendition', options.rendition);
  }
  if (options.flushClass !== undefined) {
    url.searchParams.set('class', options.flushClass);
  }
  if (options.after !== undefined) {
    url.searchParams.set('after', options.after);
  }
  return url.href;
}

/** `ws(s)://HOST/publish/STREAM`; the key travels in the first message, never in the address. */
export function publishUrl(origin: string, stream: string): string {
  return new URL(`/publish/${encodeURIComponent(stream)}`, origin.replace(/^http/, 'ws')).href;
}
