// The topics of the telemetry log, what each keeps and how long. Names on a broker are PREFIX + name + version: `tessera.ingest.v1`.

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export type TopicPolicy =
  /** Records go after a time. */
  | { readonly kind: 'delete'; readonly retentionMs: number }
  /** The newest record of each key stays. */
  | { readonly kind: 'compact' };

/** Every topic. Keys are stream ids, except in `state` and `directory`. */
export const TOPICS = {
  ingest: { kind: 'delete', retentionMs: DAY_MS },
  viewer: { kind: 'delete', retentionMs: DAY_MS },
  session: { kind: 'delete', retentionMs: 7 * DAY_MS },
  data: { kind: 'delete', retentionMs: DAY_MS },
  shuffle: { kind: 'delete', retentionMs: 6 * HOUR_MS },
  windows: { kind: 'delete', retentionMs: 7 * DAY_MS },
  late: { kind: 'delete', retentionMs: 7 * DAY_MS },
  dlq: { kind: 'delete', retentionMs: 7 * DAY_MS },
  health: { kind: 'compact' },
  state: { kind: 'compact' },
  directory: { kind: 'compact' },
} as const satisfies Record<string, TopicPolicy>;

export type Topic = keyof typeof TOPICS;

/** Hours that topics keep their records, where the configuration says otherwise than TOPICS. */
export type RetentionHours = Partial<Readonly<Record<Topic, number>>>;

/** How long a topic keeps a record, ms; null where the newest of each key stays. */
export function retentionOf(topic: Topic, hours: RetentionHours = {}): number | null {
  const policy: TopicPolicy = TOPICS[topic];
  return policy.kind === 'compact' ? null : (hours[topic] ?? policy.retentionMs / HOUR_MS) * HOUR_MS;
}

/** Topics that components report to; the others are written by analytics. */
export const EVENT_TOPICS = ['ingest', 'viewer', 'session', 'data'] as const;
export type EventTopic = (typeof EVENT_TOPICS)[number];

/** Version of every topic's records; a breaking change makes a new topic. */
const TOPIC_VERSION = 'v1';

/** The topic's name on a broker. */
export function topicName(topic: Topic, prefix = 'tessera.'): string {
  return `${prefix}${topic}.${TOPIC_VERSION}`;
}

/** The topic of a name on a broker or of a bare `ingest` or `ingest.v1`; null when it is none of ours. */
export function parseTopicName(name: string, prefix = 'tessera.'): Topic | null {
  const bare = (name.startsWith(prefix) ? name.slice(prefix.length) : name).replace(`.${TOPIC_VERSION}`, '');
  return Object.hasOwn(TOPICS, bare) ? (bare as Topic) : null;
}
