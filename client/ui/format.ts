// Numbers and times as people read them. Pure.

/** `1.25 Mbit/s`, `640 kbit/s`, or a dash where nothing is known. */
export function formatBitrate(kbps: number | null | undefined): string {
  if (kbps === null || kbps === undefined || !Number.isFinite(kbps)) {
    return '–';
  }
  return kbps >= 1000 ? `${(kbps / 1000).toFixed(kbps >= 10_000 ? 1 : 2)} Mbit/s` : `${Math.round(kbps)} kbit/s`;
}

/** `48 ms`, `1.2 s`, or a dash where nothing is known. */
export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) {
    return '–';
  }
  return Math.abs(ms) < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** `29.97`, `30`, `59.9`. */
export function formatRate(fps: number): string {
  return fps === 0 ? '–' : String(Math.round(fps * 10) / 10);
}

/** `1280 × 720`. */
export function formatSize(width: number, height: number): string {
  return width === 0 ? '–' : `${width} × ${height}`;
}

/** `1 viewer`, `12 viewers`. */
export function formatCount(count: number, singular: string): string {
  return `${count.toLocaleString('en')} ${singular}${count === 1 ? '' : 's'}`;
}

/** Time since then: `12 s`, `4 min`, `3 h 05 min`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
