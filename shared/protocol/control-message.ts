// Text frames of `tessera.1`: one JSON object with a `type`. Unknown types are ignored (newer peers), known ones that break
// their schema are malformed. publisher-messages.ts, viewer-messages.ts and viewer-requests.ts hold the schemas; this file reads
// and writes.

import { z } from 'zod';
import { ProtocolError } from '../errors.ts';

/** Schemas by message type. */
export type MessageSchemas = Readonly<Record<string, z.ZodType>>;

/** The union of the messages that a table of schemas describes. */
export type MessageOf<Schemas extends MessageSchemas> = {
  [Type in keyof Schemas]: z.infer<Schemas[Type]>;
}[keyof Schemas];

function typeOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('type' in value)) {
    return null;
  }
  return typeof value.type === 'string' && value.type.length <= 32 ? value.type : null;
}

/** The message in `text`, or null for a type that `schemas` does not know. Throws ProtocolError `malformed`. */
export function parseControl<Schemas extends MessageSchemas>(
  schemas: Schemas,
  text: string,
): MessageOf<Schemas> | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError('malformed', 'A control message is not JSON.');
  }
  const type = typeOf(value);
  if (type === null) {
    throw new ProtocolError('malformed', 'A control message needs a "type".');
  }
  const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (schema === undefined) {
    return null;
  }
  const result = schema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues.at(0);
    const place = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.').slice(0, 40)}`;
    throw new ProtocolError('malformed', `The ${type} message is wrong${place}.`);
  }
  return result.data as MessageOf<Schemas>;
}

/** The text frame of a message. */
export function encodeControl(message: { readonly type: string }): string {
  return JSON.stringify(message);
}

/** Shared by both directions: `clock {t0}` asks, `clock {t0,t1,t2}` answers; epoch milliseconds as floating point. */
export const clockRequestSchema = z.object({ type: z.literal('clock'), t0: z.number() });
/** `t0` as asked, `t1` when the server received, `t2` when it answered. */
export const clockResponseSchema = z.object({
  type: z.literal('clock'),
  t0: z.number(),
  t1: z.number(),
  t2: z.number(),
});
/** Sent just before the socket is closed: the stable name of the code and one sentence. */
export const errorMessageSchema = z.object({ type: z.literal('error'), code: z.string(), message: z.string() });
