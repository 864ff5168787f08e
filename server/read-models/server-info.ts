// What the console says about the server itself.

import { z } from 'zod';

export const serverInfoSchema = z.object({
  startedAt: z.number().describe('Unix epoch, milliseconds'),
  telemetry: z.string().describe('the telemetry log in use, such as `embedded` or `kafka 4.1.1, 24 partitions`'),
  node: z.string().describe('version of the runtime'),
});

export type ServerInfo = z.infer<typeof serverInfoSchema>;
