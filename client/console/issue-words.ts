// Issues in words: names, numbers with their units. Pure.

import type { HealthIssue } from '../ui/api.ts';
import { formatBitrate, formatMs, formatRate } from '../ui/format.ts';

type Format = (value: number) => string;

const percent: Format = (value) => `${Math.round(value * 1000) / 10} %`;

/** What the numbers of each kind of issue are. */
const FORMATS: Readonly<Record<string, Format>> = {
  starved: percent,
  'bitrate-low': formatBitrate,
  'fps-low': (value) => `${formatRate(value)} fps`,
  'keyframe-interval-long': formatMs,
  'frames-lost': percent,
  drift: formatMs,
  'encoder-overloaded': (value) => `${percent(value)} of a frame's time`,
  'latency-high': formatMs,
  rebuffering: percent,
};

function numberOf(type: string, value: unknown): string {
  if (typeof value === 'number') {
    return FORMATS[type]?.(value) ?? String(Math.round(value * 100) / 100);
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `keyframe-interval-long` as words: `Keyframe interval long`. */
export function issueTitle(type: string): string {
  const words = type.replaceAll(/[-_.]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `1.2 Mbit/s, expected 2.5 Mbit/s`. */
export function issueNumbers({ type, actual, expected }: HealthIssue): string {
  return `${numberOf(type, actual)}, expected ${numberOf(type, expected)}`;
}

/** Whether viewers suffer, as far as the server says. */
export function isCritical({ severity }: HealthIssue): boolean {
  return ['critical', 'error', 'bad'].includes(severity.toLowerCase());
}
