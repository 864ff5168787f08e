// Events as they lie in the log: flat JSON with the envelope's fields beside the event's own, plus CloudEvents headers by which
// foreign tools can route. (node, boot, stream, topic, seq) identifies an event for ever: seq has no gaps within the other four.

import { z } from 'zod';
import { telemetryEventSchema, type TelemetryEvent } from './events.ts';

/** Version of the envelope. */
export const ENVELOPE_VERSION = 1;

type Envelope = {
  readonly v: typeof ENVELOPE_VERSION;
  /** Name of the process's machine or role, stable over restarts. */
  readonly node: string;
  /** Start of the process, epoch ms: sequence numbers begin anew with it. */
  readonly boot: number;
  /** Gapless per (node, boot, stream, topic), from 0. */
  readonly seq: number;
  /** The reporter's wall clock at the report, epoch ms: the receive time of event-time windows. */
  readonly at: number;
};

export type EventRecord = Envelope & TelemetryEvent;

const envelopeSchema = z.object({
  v: z.literal(ENVELOPE_VERSION),
  node: z.string().min(1).max(128),
  boot: z.number().int().nonnegative(),
  seq: z.number().int().nonnegative(),
  at: z.number(),
});

/** The record's value. */
export function encodeEvent(event: EventRecord): string {
  return JSON.stringify(event);
}

/** CloudEvents attributes of the record. */
export function eventHeaders(event: EventRecord): Record<string, string> {
  const { node, boot, stream, topic, seq, type } = event;
  return {
    ce_type: `tessera.${topic}.${type}`,
    ce_source: `/tessera/${node}`,
    ce_id: `${node}/${boot}/${stream}/${topic}/${seq}`,
  };
}

export type DecodedEvent =
  | { readonly kind: 'event'; readonly event: EventRecord }
  /** One sentence saying what is wrong, for the dead-letter topic. */
  | { readonly kind: 'bad'; readonly reason: string };

const bad = (reason: string): DecodedEvent => ({ kind: 'bad', reason });

/** Reads a record's value. Never throws. */
export function decodeEvent(value: string): DecodedEvent {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    return bad('not JSON');
  }
  const envelope = envelopeSchema.safeParse(parsed);
  if (!envelope.success) {
    const version = (parsed as { v?: unknown } | null)?.v;
    return bad(
      version === ENVELOPE_VERSION || version === undefined
        ? `envelope: ${firstIssue(envelope.error)}`
        : `version ${JSON.stringify(version)} is not ${ENVELOPE_VERSION}`,
    );
  }
  const event = telemetryEventSchema.safeParse(parsed);
  return event.success
    ? { kind: 'event', event: { ...envelope.data, ...event.data } }
    : bad(`event: ${firstIssue(event.error)}`);
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues.at(0);
  return issue === undefined ? 'unreadable' : `${issue.path.join('.') || 'value'} ${issue.message}`;
}
