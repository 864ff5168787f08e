// Bitrate and frame rate of a track over the last full seconds, for the menu and the API. The numbers of health go through the log.

const SPAN_MS = 2000;

export class TrackMeter {
  private spanStartMs = Number.NaN;
  private bytes = 0;
  private units = 0;
  private lastKbps = 0;
  private lastFps = 0;

  add(bytes: number, epochMs: number): void {
    this.roll(epochMs);
    if (Number.isNaN(this.spanStartMs)) {
      this.spanStartMs = epochMs;
    }
    this.bytes += bytes;
    this.units++;
  }

  /** kbit/s, 0 while unknown. */
  kbps(epochMs: number): number {
    this.roll(epochMs);
    return this.lastKbps;
  }

  /** Units per second, 0 while unknown. */
  fps(epochMs: number): number {
    this.roll(epochMs);
    return this.lastFps;
  }

  private roll(epochMs: number): void {
    const spanMs = epochMs - this.spanStartMs;
    if (!(spanMs >= SPAN_MS)) {
      return;
    }
    // A long silence is averaged into the span that it ended.
    this.lastKbps = Math.round((this.bytes * 8) / spanMs);
    this.lastFps = Math.round((this.units * 100_000) / spanMs) / 100;
    this.bytes = 0;
    this.units = 0;
    this.spanStartMs = epochMs;
  }
}
