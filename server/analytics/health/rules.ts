// Every rule over the windows of a stream, the gravest first. Rules over events of other sources: data-health.ts.

import { DELIVERY_RULES } from './delivery-rules.ts';
import { PICTURE_RULES } from './picture-rules.ts';
import { PUBLISHER_RULES } from './publisher-rules.ts';
import type { Rule } from './rule.ts';

const ALL: readonly Rule[] = [...PUBLISHER_RULES, ...PICTURE_RULES, ...DELIVERY_RULES];

export const RULES: readonly Rule[] = [
  ...ALL.filter(({ severity }) => severity === 'critical'),
  ...ALL.filter(({ severity }) => severity !== 'critical'),
];
