// Keeps the display on while a picture plays or a broadcast runs: a canvas does not do that by itself, as a video element would. Browsers
// take the lock away when the tab is hidden; it is asked for again when the tab is back.

/** Holds the lock while wanted and possible. */
export class WakeLock {
  #isWanted = false;
  #lock: WakeLockSentinel | null = null;

  constructor() {
    document.addEventListener('visibilitychange', () => void this.#follow());
  }

  /** True while the display must stay on. */
  set isWanted(value: boolean) {
    if (value !== this.#isWanted) {
      this.#isWanted = value;
      void this.#follow();
    }
  }

  async #follow(): Promise<void> {
    if (!this.#isWanted) {
      const lock = this.#lock;
      this.#lock = null;
      await lock?.release();
      return;
    }
    if (document.visibilityState === 'hidden' || this.#lock?.released === false || !('wakeLock' in navigator)) {
      return;
    }
    try {
      this.#lock = await navigator.wakeLock.request('screen');
      if (!this.#isWanted) {
        await this.#lock.release(); // it stopped meanwhile
      }
    } catch {
      this.#lock = null; // low battery, or not allowed in this frame: the picture plays all the same
    }
  }
}
