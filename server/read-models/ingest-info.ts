// Where streams are taken, for whoever wants to start one.

import { z } from 'zod';

export const ingestInfoSchema = z.object({
  rtmpPort: z.number().nullable().describe('TCP port of rtmp://HOST:PORT/live; null where RTMP is off'),
});

export type IngestInfo = z.infer<typeof ingestInfoSchema>;
