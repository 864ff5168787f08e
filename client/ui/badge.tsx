// A word in a coloured capsule: live, good, bad, who encoded.

import type { ComponentChildren } from 'preact';
import './badge.css';

/** What a badge's colour means. */
export type BadgeTone = 'live' | 'good' | 'ok' | 'bad' | 'unknown' | 'plain' | 'accent';

/** One badge. */
export function Badge({ tone, children }: { readonly tone: BadgeTone; readonly children: ComponentChildren }) {
  return <span class={`badge badge-${tone}`}>{children}</span>;
}
