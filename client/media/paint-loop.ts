// Calls back when pictures may be painted: with the display's refresh while the page is visible, by timer while it is hidden or
// where a worker has no requestAnimationFrame. Runs only while asked for.

const HIDDEN_TICK_MS = 20;
const REFRESH_TIMEOUT_MS = 200;

/** One pending call at a time. */
export class PaintLoop {
  readonly #tick: (nowMs: number) => void;
  #isHidden = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #refresh: number | null = null;

  constructor(tick: (nowMs: number) => void) {
    this.#tick = tick;
  }

  /** While hidden, the display's refresh does not come. */
  set isHidden(value: boolean) {
    this.#isHidden = value;
  }

  /** Makes sure that a tick comes with the next refresh. */
  request(): void {
    if (this.#timer !== undefined) {
      return;
    }
    const hasRefresh = typeof requestAnimationFrame === 'function' && !this.#isHidden;
    if (hasRefresh) {
      this.#refresh = requestAnimationFrame(() => this.#run());
    }
    // The browser may stop refreshing without telling (a covered window): pictures must not pile up.
    this.#timer = setTimeout(() => this.#run(), hasRefresh ? REFRESH_TIMEOUT_MS : HIDDEN_TICK_MS);
  }

  /** Forgets the pending tick. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#refresh !== null) {
      cancelAnimationFrame(this.#refresh);
      this.#refresh = null;
    }
  }

  #run(): void {
    this.cancel();
    this.#tick(performance.timeOrigin + performance.now());
  }
}
