// window.tesseraStudio: the live numbers, for tests and for whoever automates a studio.

import type { PublishStats, PublishStatus } from '../media/encode-messages.ts';
import type { Studio } from './studio.ts';

/** `status` is `off` before going live; `stats` is null then. */
type StudioHooks = {
  readonly status: () => (PublishStatus | { readonly kind: 'off' })['kind'];
  readonly stats: () => PublishStats | null;
};

declare global {
  interface Window {
    tesseraStudio?: StudioHooks;
  }
}

/** Publishes the studio's numbers on the window. */
export function installStudioHooks(studio: Studio): void {
  window.tesseraStudio = {
    status: () => studio.state.value.status.kind,
    stats: () => studio.state.value.stats,
  };
}
