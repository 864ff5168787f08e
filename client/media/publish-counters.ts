// Counts what the studio makes: captured, encoded and dropped pictures, encoding time, bytes. A picture that the camera made and the
// worker never saw shows as a gap in the capture times. Pure: times in ms are handed in.

const WINDOW_MS = 2000;
const SMOOTHING = 0.1;
const LONGEST_GAP_MS = 2000; // beyond it the camera itself had stopped

/** The counters' part of the studio's numbers. */
export type PublishNumbers = {
  readonly fps: number;
  readonly bitrateKbps: number;
  readonly encodeMs: number;
  readonly encoded: number;
  readonly dropped: number;
};

/** The counters of one broadcast. */
export class PublishCounters {
  readonly #intervalMs: number;
  #lastCaptureMs: number | null = null;
  #encodedAt: number[] = [];
  #sent: { readonly at: number; readonly bytes: number }[] = [];
  #encodeMs = 0;
  #encoded = 0;
  #dropped = 0;

  constructor(fps: number) {
    this.#intervalMs = 1000 / fps;
  }

  captured(capturedMs: number): void {
    const gapMs = this.#lastCaptureMs === null ? 0 : capturedMs - this.#lastCaptureMs;
    this.#lastCaptureMs = capturedMs;
    if (gapMs > 1.6 * this.#intervalMs && gapMs < LONGEST_GAP_MS && this.#encoded > 0) {
      this.#dropped += Math.round(gapMs / this.#intervalMs) - 1;
    }
  }

  skipped(): void {
    this.#dropped += 1;
  }

  encoded(nowMs: number, encodeMs: number): void {
    this.#encoded += 1;
    this.#encodedAt.push(nowMs);
    this.#encodeMs += (encodeMs - this.#encodeMs) * (this.#encoded === 1 ? 1 : SMOOTHING);
  }

  sent(nowMs: number, bytes: number): void {
    this.#sent.push({ at: nowMs, bytes });
  }

  snapshot(nowMs: number): PublishNumbers {
    this.#encodedAt = this.#encodedAt.filter((at) => nowMs - at <= WINDOW_MS);
    this.#sent = this.#sent.filter(({ at }) => nowMs - at <= WINDOW_MS);
    const [first] = this.#encodedAt;
    const last = this.#encodedAt.at(-1) ?? 0;
    const bytes = this.#sent.reduce((sum, entry) => sum + entry.bytes, 0);
    return {
      fps: first === undefined || last <= first ? 0 : ((this.#encodedAt.length - 1) * 1000) / (last - first),
      bitrateKbps: (bytes * 8) / WINDOW_MS,
      encodeMs: this.#encodeMs,
      encoded: this.#encoded,
      dropped: this.#dropped,
    };
  }
}
