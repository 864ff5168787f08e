// Puts the streams that need an operator first. Pure.

import type { HealthIssue, StreamHealth } from '../ui/api.ts';
import type { StreamView } from './use-console.ts';

/** Health as the console says it. */
export type HealthStatus = StreamHealth['status'];

const STATUS_ORDER: readonly HealthStatus[] = ['bad', 'ok', 'unknown', 'good'];
const SEVERITY_ORDER: readonly string[] = ['critical', 'error', 'bad', 'warning', 'ok', 'info'];

/** Status of a stream; unknown until the server says. */
export function statusOf(stream: StreamView): HealthStatus {
  return stream.health?.status ?? 'unknown';
}

/** Worst first, then by name. */
export function byUrgency(a: StreamView, b: StreamView): number {
  const difference = STATUS_ORDER.indexOf(statusOf(a)) - STATUS_ORDER.indexOf(statusOf(b));
  return difference === 0 ? a.summary.id.localeCompare(b.summary.id) : difference;
}

/** Issues, worst first. */
export function sortedIssues(health: StreamHealth | null): readonly HealthIssue[] {
  const rank = (issue: HealthIssue) => {
    const index = SEVERITY_ORDER.indexOf(issue.severity.toLowerCase());
    return index < 0 ? SEVERITY_ORDER.length : index;
  };
  return [...(health?.issues ?? [])].sort((a, b) => rank(a) - rank(b));
}
