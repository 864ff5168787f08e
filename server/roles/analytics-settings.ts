// What analytics takes from the configuration, in whichever process it runs.

import type { Config } from '../../shared/config/config-schema.ts';
import type { AnalyticsOptions } from '../analytics/start-analytics.ts';

export function analyticsSettings({
  analytics,
  health,
  alerts,
}: Config): Required<Pick<AnalyticsOptions, 'threads' | 'jobPaths' | 'health' | 'webhooks'>> {
  const { threads, jobs: jobPaths } = analytics;
  const { latencyObjectiveMs: latencyMs, dataRules } = health;
  return { threads, jobPaths, health: { objectives: { latencyMs }, dataRules }, webhooks: alerts.webhooks };
}
