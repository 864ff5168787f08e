// Tells webhooks that an issue opened or closed: one message at a time and in order per webhook, signed, tried again with growing waits,
// from a bounded queue. What is given up is counted and logged; nothing else waits for it.

import { randomUUID } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Alert } from '../health-runner.ts';
import { SIGNATURE_HEADER, signWebhook } from './webhook-signature.ts';

export type Webhook = {
  readonly url: string;
  readonly secret: string;
  readonly streams: readonly string[];
  /** Empty: all. */
  readonly types: readonly string[];
};

/** Sends one message; resolves with the HTTP status, rejects when there was no answer. */
type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<number>;

export type WebhookSenderOptions = {
  readonly webhooks: readonly Webhook[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  readonly post?: Post;
};

type Message = { readonly id: string; readonly type: string; readonly body: string };

const MAX_QUEUED = 1000;
const MAX_ATTEMPTS = 10;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 300_000;
const TIMEOUT_MS = 10_000;
/** Answers that no repetition changes: the receiver does not want it. */
const isFinal = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429;

/** Posts with a time limit, follows no redirect, and reads no body. */
async function postWithFetch(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<number> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
  await response.body?.cancel();
  return response.status;
}

export class WebhookSender {
  private readonly lanes: readonly Lane[];

  constructor(options: WebhookSenderOptions) {
    const { metrics } = options;
    const results = metrics?.counter('webhook_messages_total', 'Webhook messages, by what became of them.', ['result']);
    const count = (result: string): void => {
      results?.inc({ result });
    };
    this.lanes = options.webhooks.map((webhook) => new Lane(webhook, options, count));
    metrics?.observe('webhook_queue', 'Webhook messages that wait.', () => this.queued);
  }

  /** Messages that wait. */
  get queued(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.length, 0);
  }

  /** Queues the alert for every webhook that wants it. */
  send(alert: Alert): void {
    for (const lane of this.lanes) {
      lane.offer(alert);
    }
  }

  /** Stops; what waits is left out and counted. */
  close(): void {
    for (const lane of this.lanes) {
      lane.close();
    }
  }
}

/** One webhook and its queue. */
class Lane {
  private readonly webhook: Webhook;
  private readonly options: WebhookSenderOptions;
  private readonly count: (result: string) => void;
  private readonly queue: Message[] = [];
  private attempts = 0;
  private isSending = false;
  private isClosed = false;
  private cancelWait: (() => void) | null = null;

  constructor(webhook: Webhook, options: WebhookSenderOptions, count: (result: string) => void) {
    this.webhook = webhook;
    this.options = options;
    this.count = count;
  }

  get length(): number {
    return this.queue.length;
  }

  offer(alert: Alert): void {
    const { streams, types } = this.webhook;
    const isWanted =
      (streams.includes('*') || streams.includes(alert.stream)) &&
      (types.length === 0 || types.includes(alert.issue.type));
    if (!isWanted || this.isClosed) {
      return;
    }
    if (this.queue.length >= MAX_QUEUED) {
      this.queue.splice(this.isSending ? 1 : 0, 1); // the oldest that is not on its way
      this.count('dropped');
    }
    this.queue.push(messageOf(alert));
    void this.pump();
  }

  close(): void {
    this.isClosed = true;
    this.cancelWait?.();
    this.queue.splice(0).forEach(() => {
      this.count('dropped');
    });
  }

  private async pump(): Promise<void> {
    const [message] = this.queue;
    if (this.isSending || this.cancelWait !== null || message === undefined || this.isClosed) {
      return;
    }
    this.isSending = true;
    const outcome = await this.attempt(message);
    this.isSending = false;
    if (outcome === 'again' && ++this.attempts < MAX_ATTEMPTS) {
      this.waitAndPump();
      return;
    }
    this.count(outcome === 'delivered' ? 'delivered' : 'given-up');
    this.attempts = 0;
    if (this.queue[0] === message) {
      this.queue.shift();
    }
    void this.pump();
  }

  private async attempt(message: Message): Promise<'delivered' | 'refused' | 'again'> {
    const { clock, logger, post = postWithFetch } = this.options;
    const { url, secret } = this.webhook;
    try {
      const status = await post(
        url,
        headersOf(message, signWebhook(secret, message.body, clock.epochMs())),
        message.body,
      );
      if (status >= 200 && status < 300) {
        return 'delivered';
      }
      logger.warn({ host: hostOf(url), status, attempt: this.attempts + 1 }, 'a webhook refused a message');
      return isFinal(status) ? 'refused' : 'again';
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      logger.warn({ host: hostOf(url), why, attempt: this.attempts + 1 }, 'a webhook could not be reached');
      return 'again';
    }
  }

  private waitAndPump(): void {
    this.count('retried');
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.attempts - 1));
    this.cancelWait = this.options.clock.after(waitMs * (0.75 + Math.random() / 2), () => {
      this.cancelWait = null;
      void this.pump();
    });
  }
}

/** Addresses of webhooks may carry secrets: the log names the host only. */
const hostOf = (url: string): string => new URL(url).host;

function messageOf({ stream, change, issue, at }: Alert): Message {
  const id = randomUUID();
  const type = `health.issue.${change}`;
  return { id, type, body: JSON.stringify({ id, type, at, stream, issue }) };
}

function headersOf({ id, type }: Message, signature: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'user-agent': 'tessera',
    'tessera-id': id,
    'tessera-type': type,
    [SIGNATURE_HEADER]: signature,
  };
}
