// When and how a transcode starts again after its worker or decoder died: at once the first time, then with growing pauses, and
// not at all after too many in a minute. A group of pictures that killed its worker twice, or once by its decoding time, is not
// tried again. Pure; used by source-transcode.ts.

export type Restart =
  { readonly kind: 'restart'; readonly delayMs: number; readonly skipGroup: boolean } | { readonly kind: 'give-up' };

const WINDOW_MS = 60_000;
const MAX_RESTARTS_IN_WINDOW = 6;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5000;

export class RestartPolicy {
  private restarts: { readonly at: number; readonly group: number }[] = [];

  /** Decides after a death at `nowMs` while `group` was being decoded. `isPoison`: the group itself is known to be the cause. */
  onDeath(nowMs: number, group: number, isPoison: boolean): Restart {
    this.restarts = this.restarts.filter(({ at }) => nowMs - at < WINDOW_MS);
    if (this.restarts.length >= MAX_RESTARTS_IN_WINDOW) {
      return { kind: 'give-up' };
    }
    const skipGroup = isPoison || this.restarts.at(-1)?.group === group;
    const count = this.restarts.length;
    this.restarts.push({ at: nowMs, group });
    const delayMs = count === 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (count - 1));
    return { kind: 'restart', delayMs, skipGroup };
  }
}
