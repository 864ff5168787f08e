// The configuration: one schema with every key of the contract, its default and what is allowed. resolve-config.ts fills it.

import { z } from 'zod';
import { limitsSchema } from './limits.ts';

const GIGABYTE = 1024 ** 3;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;
/** What looks like an IPv4 address is one: no name server needs to be asked about 300.1.1.1. */
const host = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => !/^[\d.]+$/.test(text) || IPV4.test(text), 'an IP address or the name of a host');
const port = z.number().int().min(0).max(65_535);
const filePath = z.string().min(1).max(4096);
const section = <Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodPrefault<z.ZodObject<Shape, z.core.$strict>> => z.strictObject(shape).prefault({} as never);

const rendition = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9_.-]{1,32}$/),
  width: z.number().int().min(16).max(4096).multipleOf(2),
  height: z.number().int().min(16).max(4096).multipleOf(2),
  fps: z.number().min(1).max(120),
  kbps: z.number().min(16).max(100_000),
});

const publishKey = z.strictObject({
  key: z.string().regex(NAME),
  /** Stream ids, or `*` for every stream. */
  streams: z.array(z.string().regex(/^(\*|[A-Za-z0-9_-]{1,64})$/)).default(['*']),
});

const dataRule = z
  .strictObject({
    stream: z
      .string()
      .regex(/^(\*|[A-Za-z0-9_-]{1,64})$/)
      .default('*'),
    key: z.string().min(1).max(256),
    statistic: z.enum(['mean', 'min', 'max', 'last', 'count']).default('mean'),
    above: z.number().optional(),
    below: z.number().optional(),
  })
  .refine(({ above, below }) => above !== undefined || below !== undefined, 'needs above or below');

const webhook = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2048),
  /** Signs every message; at least 16 characters. */
  secret: z.string().min(16).max(256),
  /** Stream ids, or `*` for every stream. */
  streams: z.array(z.string().regex(/^(\*|[A-Za-z0-9_-]{1,64})$/)).default(['*']),
  /** Issue types; empty: all. */
  types: z.array(z.string().regex(/^[a-z-]{1,64}$/)).default([]),
});

const kafka = section({
  brokers: z
    .array(z.string().regex(/^[^\s:]+:\d{1,5}$/))
    .default([])
    .describe('HOST:PORT of the brokers'),
  ssl: z.boolean().default(false),
  sasl: z
    .strictObject({
      mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).default('plain'),
      username: z.string().min(1),
      password: z.string().min(1),
    })
    .optional(),
  topicPrefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,100}$/)
    .default('tessera.'),
  partitions: z.number().int().min(1).max(10_000).default(24),
  replication: z.number().int().min(1).max(100).default(1),
});

const hours = (standard: number): z.ZodDefault<z.ZodNumber> => z.number().min(0.01).max(87_600).default(standard);

/** Topics whose records go after a time (shared/telemetry/topics.ts has the same defaults; a test compares them). */
const retentionHours = section({
  ingest: hours(24),
  viewer: hours(24),
  session: hours(168),
  data: hours(24),
  shuffle: hours(6),
  windows: hours(168),
  late: hours(168),
  dlq: hours(168),
});

export const configSchema = section({
  http: section({
    host: host.default('0.0.0.0'),
    port: port.default(8080).describe('0 takes any free port'),
    trustedProxies: z
      .array(z.string().regex(/^[0-9A-Fa-f.:]+(\/\d{1,3})?$/))
      .default([])
      .describe('addresses or CIDR blocks whose X-Forwarded-For is believed'),
    allowedOrigins: z
      .array(z.string().regex(/^(\*|https?:\/\/[^/\s]+)$/))
      .default([])
      .describe('origins of pages that may connect, beside the same origin'),
  }),
  rtmp: section({
    host: host.default('0.0.0.0'),
    port: z
      .union([z.literal('off'), port])
      .default(1935)
      .describe('0 takes any free port'),
  }),
  tls: section({ cert: filePath.optional(), key: filePath.optional() }),
  dataDir: filePath.default('./data'),
  auth: section({
    publish: z.enum(['keys', 'open']).default('keys'),
    publishKeys: z.array(publishKey).default([]).describe('empty: one key for every stream, made at first start'),
    operatorToken: z
      .string()
      .regex(/^[\x21-\x7e]{16,256}$/)
      .optional()
      .describe('absent: made at first start'),
  }),
  demo: z.boolean().default(false).describe('a built-in test stream'),
  roles: z.enum(['all', 'origin', 'edge', 'analytics']).default('all'),
  telemetry: section({
    driver: z.enum(['embedded', 'kafka', 'memory']).default('embedded'),
    kafka,
    retentionHours,
    partitionWriteMbps: z.number().min(0.001).max(100_000).optional().describe('p of the capacity rule; absent: 5'),
    partitionReadMbps: z.number().min(0.001).max(100_000).optional().describe('c of the capacity rule; absent: 5'),
    embedded: section({
      maxBytes: z
        .number()
        .int()
        .min(1_048_576)
        .max(2 ** 50)
        .default(2 * GIGABYTE),
    }),
  }),
  analytics: section({
    threads: z
      .number()
      .int()
      .min(0)
      .max(64)
      .default(0)
      .describe('worker threads for the window jobs; 0 runs them in the main thread'),
    jobs: z.array(filePath).max(64).default([]).describe("modules of users' jobs"),
  }),
  transcode: section({
    ladder: z.array(rendition).max(8).optional().describe('absent: 1080p 720p 480p 360p below the source'),
    maxCpu: z.number().min(0).max(1).default(0.8).describe('share of all cores that renditions may use'),
  }),
  health: section({
    pictureCpu: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe('share of one core for looking at key pictures that nobody transcodes; 0 = off'),
    latencyObjectiveMs: z.number().int().min(1).max(600_000).default(3000).describe('latency above it is an issue'),
    dataRules: z.array(dataRule).max(1000).default([]).describe('limits on the values of sensors and other sources'),
  }),
  history: section({
    hours: z.number().min(1).max(744).default(24).describe('how long the past of streams can be asked for'),
  }),
  alerts: section({
    webhooks: z.array(webhook).max(16).default([]).describe('told when an issue opens or closes'),
  }),
  limits: limitsSchema.prefault({}),
  log: section({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info') }),
}).superRefine((config, context) => {
  const { tls, telemetry, roles } = config;
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const missing = tls.cert === undefined ? 'cert' : 'key';
    context.addIssue({
      code: 'custom',
      path: ['tls', missing],
      message: 'a file, since the other half of tls is given',
    });
  }
  if (telemetry.driver === 'kafka' && telemetry.kafka.brokers.length === 0) {
    context.addIssue({
      code: 'custom',
      path: ['telemetry', 'kafka', 'brokers'],
      message: 'at least one HOST:PORT, since telemetry.driver is kafka',
    });
  }
  if (roles === 'analytics' && telemetry.driver !== 'kafka') {
    context.addIssue({
      code: 'custom',
      path: ['roles'],
      message: 'all, since an analytics process of its own needs telemetry.driver kafka',
    });
  }
});

/** The configuration, resolved: every key has its value. */
export type Config = z.infer<typeof configSchema>;
