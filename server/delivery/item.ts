// What waits for a viewer: one object (or FLV tag) or one control text, laid out once and shared by everybody who gets it.

import type { Priority } from '../../shared/media/access-unit.ts';
import { OPCODE_BINARY, textFrame, webSocketHeader } from '../platform/web-socket-frame.ts';

export type MediaItem = {
  readonly kind: 'video' | 'audio';
  readonly priority: Priority;
  /** Header and payload as the format lays them out. */
  readonly bytes: Uint8Array;
};

/** Never dropped, and never overtaken by what was queued before it. */
export type ControlItem = {
  readonly kind: 'control';
  /** A text message, or bytes of the format (an FLV sequence header). */
  readonly content: string | Uint8Array;
};

export type Item = MediaItem | ControlItem;

/** Lays items out as chunks to be written in this order. */
export type Framing = (items: readonly Item[]) => Uint8Array[];

const bytesOf = (item: MediaItem | { readonly kind: 'control'; readonly content: Uint8Array }): Uint8Array =>
  item.kind === 'control' ? item.content : item.bytes;

const isText = (item: Item): item is ControlItem & { readonly content: string } =>
  item.kind === 'control' && typeof item.content === 'string';

/** Bytes of an item, without frames. */
export function itemBytes(item: Item): number {
  return item.kind === 'control' ? item.content.length : item.bytes.length;
}

/** WebSocket: neighbouring objects share one binary message, a text is a message of its own. */
export const webSocketFraming: Framing = (items) => {
  const chunks: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  let runBytes = 0;
  const endRun = (): void => {
    if (run.length > 0) {
      chunks.push(webSocketHeader(OPCODE_BINARY, runBytes), ...run);
      run = [];
      runBytes = 0;
    }
  };
  for (const item of items) {
    if (isText(item)) {
      endRun();
      chunks.push(textFrame(item.content));
    } else {
      const bytes = bytesOf(item as MediaItem);
      run.push(bytes);
      runBytes += bytes.length;
    }
  }
  endRun();
  return chunks;
};

/** HTTP: bytes as they are; there are no texts in these formats. */
export const plainFraming: Framing = (items) =>
  items.flatMap((item) => (isText(item) ? [] : [bytesOf(item as MediaItem)]));
