// Rules over events of other sources (sensors, meters): a device that used to report and fell silent, a device with a wrong clock, and
// the limits that the operator has set on its numbers (config health.dataRules). One DataHealth per stream, over its data windows.

import type { DataWindow, KeyWindow } from '../jobs/data-job.ts';
import type { IssueTerms } from './issue-book.ts';
import type { Finding } from './rule.ts';

/** A limit on what a key reports. At least one of `above` and `below`. */
export type DataRule = {
  /** A stream id, or `*`. */
  readonly stream: string;
  readonly key: string;
  readonly statistic: 'mean' | 'min' | 'max' | 'last' | 'count';
  readonly above?: number | undefined;
  readonly below?: number | undefined;
};

export type DataJudgement = { readonly terms: IssueTerms; readonly finding: Finding | null };

type Device = { sightings: number; lastSeen: number; usualGapMs: number };

/** Sightings before silence means anything. */
const KNOWN_AFTER = 3;
const MIN_SILENCE_MS = 10_000;
/** Silence for this many usual gaps is an issue. */
const GAPS = 2;
const GAP_RATE = 0.2;
/** A device that is gone for good is no issue any more. */
const FORGOTTEN_AFTER_MS = 600_000;
const MAX_DEVICES = 1000;
/** How far a device's clock may be off, ms. */
const CLOCK_OFF_MS = 10_000;

const SILENT: Omit<IssueTerms, 'subject'> = {
  type: 'device-silent',
  severity: 'warning',
  stage: 'device',
  advice: 'This source used to report and has stopped. Check its power and its connection.',
  opensAfter: 1,
  closesAfter: 1,
};
const CLOCK: Omit<IssueTerms, 'subject'> = {
  type: 'clock-wrong',
  severity: 'warning',
  stage: 'device',
  advice: 'Set the clock of this source: its events carry times that cannot be right and miss their windows.',
  opensAfter: 1,
  closesAfter: 2,
};
const RANGE: Omit<IssueTerms, 'subject'> = {
  type: 'data-out-of-range',
  severity: 'warning',
  stage: 'device',
  advice: 'A value is outside the limits that health.dataRules sets.',
  opensAfter: 1,
  closesAfter: 2,
};

export class DataHealth {
  private readonly rules: readonly DataRule[];
  private readonly devices = new Map<string, Device>();

  constructor(stream: string, rules: readonly DataRule[]) {
    this.rules = rules.filter((rule) => rule.stream === '*' || rule.stream === stream);
  }

  /** Judges a window that ends at `end`, epoch ms. `forgotten`: devices that are gone for good. */
  take(window: DataWindow, end: number): { readonly judged: DataJudgement[]; readonly forgotten: string[] } {
    const judged: DataJudgement[] = [];
    for (const [key, seen] of Object.entries(window.keys)) {
      if (seen.count > 0) {
        this.see(key, end);
      }
      if (seen.clockOffMs !== null) {
        const actual = seen.clockOffMs;
        const isOver = Math.abs(actual) > CLOCK_OFF_MS;
        const finding = { actual, expected: CLOCK_OFF_MS, isOver, isWell: !isOver };
        judged.push({ terms: { ...CLOCK, subject: key }, finding });
      }
      judged.push(...this.limitsOf(key, seen));
    }
    const forgotten: string[] = [];
    for (const [key, device] of this.devices) {
      const silentMs = end - device.lastSeen;
      if (silentMs >= FORGOTTEN_AFTER_MS) {
        this.devices.delete(key);
        forgotten.push(key);
      } else if (device.sightings >= KNOWN_AFTER) {
        const expected = Math.max(MIN_SILENCE_MS, GAPS * device.usualGapMs);
        const isOver = silentMs >= expected;
        judged.push({
          terms: { ...SILENT, subject: key },
          finding: { actual: silentMs, expected: Math.round(expected), isOver, isWell: silentMs === 0 },
        });
      }
    }
    return { judged, forgotten };
  }

  private see(key: string, end: number): void {
    const device = this.devices.get(key);
    if (device === undefined) {
      if (this.devices.size < MAX_DEVICES) {
        this.devices.set(key, { sightings: 1, lastSeen: end, usualGapMs: 0 });
      }
      return;
    }
    const gapMs = end - device.lastSeen;
    // A long silence is learned only a little: it was an exception.
    const counted = device.usualGapMs === 0 ? gapMs : Math.min(gapMs, 3 * device.usualGapMs);
    device.usualGapMs += (counted - device.usualGapMs) * (device.sightings === 1 ? 1 : GAP_RATE);
    device.sightings++;
    device.lastSeen = end;
  }

  private limitsOf(key: string, seen: KeyWindow): DataJudgement[] {
    return this.rules.flatMap((rule): DataJudgement[] => {
      const actual = rule.key === key ? seen[rule.statistic] : null;
      if (typeof actual !== 'number') {
        return [];
      }
      const { above = Infinity, below = -Infinity, statistic } = rule;
      const isOver = actual > above || actual < below;
      const expected = actual < below ? below : Number.isFinite(above) ? above : below;
      const subject = `${key} ${statistic}`;
      return [{ terms: { ...RANGE, subject }, finding: { actual, expected, isOver, isWell: !isOver } }];
    });
  }
}
