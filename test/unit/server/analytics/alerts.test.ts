// Webhooks: what is sent, how it is signed, when it is sent again, and what happens when nobody takes it.

import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { WebhookSender, type Webhook } from '../../../../server/analytics/alerts/webhook-sender.ts';
import { signWebhook, verifyWebhook } from '../../../../server/analytics/alerts/webhook-signature.ts';
import type { Alert } from '../../../../server/analytics/health-runner.ts';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { createMetrics } from '../../../../server/platform/metrics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const SECRET = 'a secret of sixteen';
const HOOK: Webhook = { url: 'https://hooks.example/x?token=hidden', secret: SECRET, streams: ['*'], types: [] };
const alert = (stream = 's', type: Alert['issue']['type'] = 'starved', change: Alert['change'] = 'opened'): Alert => ({
  stream,
  change,
  at: 5000,
  issue: { type, severity: 'critical', stage: 'publisher', actual: 4000, expected: 2000, advice: 'Look.', since: 4000 },
});

type Sent = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly at: number;
};

class Receiver {
  readonly clock = new FakeClock();
  readonly metrics = createMetrics();
  readonly sent: Sent[] = [];
  answer: () => Promise<number> = () => Promise.resolve(204);
  readonly sender: WebhookSender;

  constructor(...webhooks: Webhook[]) {
    this.sender = new WebhookSender({
      webhooks,
      clock: this.clock,
      logger: silentLogger,
      metrics: this.metrics,
      post: (url, headers, body) => {
        this.sent.push({ url, headers, body, at: this.clock.epochMs() });
        return this.answer();
      },
    });
  }

  async run(ms: number): Promise<void> {
    for (let passed = 0; passed <= ms; passed += 250) {
      await new Promise((resolve) => setImmediate(resolve));
      this.clock.advance(250);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  async count(result: string): Promise<number> {
    const metric = await this.metrics.registry.getSingleMetric('tessera_webhook_messages_total')!.get();
    return metric.values.find(({ labels }) => labels['result'] === result)?.value ?? 0;
  }
}

describe('a webhook', () => {
  test('is told of an issue in a signed message', async () => {
    const receiver = new Receiver(HOOK);
    receiver.sender.send(alert());
    await receiver.run(0);
    const [{ url, headers, body, at }] = receiver.sent as [Sent];
    expect(url).toBe(HOOK.url);
    expect(JSON.parse(body)).toMatchObject({
      id: headers['tessera-id'],
      type: 'health.issue.opened',
      stream: 's',
      at: 5000,
      issue: { type: 'starved', actual: 4000, since: 4000 },
    });
    // As a receiver in any language would check it.
    const seconds = Math.floor(at / 1000);
    const expected = createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex');
    expect(headers['tessera-signature']).toBe(`t=${seconds},v1=${expected}`);
    expect(receiver.sender.queued).toBe(0);
    expect(await receiver.count('delivered')).toBe(1);
  });

  test('is told only of the streams and types that it wants', async () => {
    const receiver = new Receiver({ ...HOOK, streams: ['a', 'b'], types: ['starved'] });
    [alert('a'), alert('c'), alert('b', 'silence'), alert('b')].forEach((each) => receiver.sender.send(each));
    await receiver.run(0);
    expect(receiver.sent.map(({ body }) => (JSON.parse(body) as { stream: string }).stream)).toEqual(['a', 'b']);
  });

  test('that fails is tried again with growing waits, in order, each time signed anew', async () => {
    const receiver = new Receiver(HOOK);
    const answers: (() => Promise<number>)[] = [
      () => Promise.reject(new Error('connection refused')),
      () => Promise.resolve(503),
      () => Promise.resolve(429),
    ];
    receiver.answer = () => (answers.shift() ?? (() => Promise.resolve(200)))();
    receiver.sender.send(alert('first'));
    receiver.sender.send(alert('second'));
    await receiver.run(20_000);
    const streams = receiver.sent.map(({ body }) => (JSON.parse(body) as { stream: string }).stream);
    expect(streams).toEqual(['first', 'first', 'first', 'first', 'second']);
    const waits = receiver.sent.slice(1, 4).map(({ at }, i) => at - receiver.sent[i]!.at);
    expect(waits[0]).toBeGreaterThanOrEqual(750);
    expect(waits[1]).toBeGreaterThanOrEqual(1500);
    expect(waits[2]).toBeGreaterThanOrEqual(3000);
    expect(new Set(receiver.sent.slice(0, 4).map(({ headers }) => headers['tessera-id'])).size).toBe(1);
    for (const { headers, body, at } of receiver.sent) {
      expect(headers['tessera-signature']).toBe(signWebhook(SECRET, body, at));
    }
    expect(await receiver.count('retried')).toBe(3);
    expect(await receiver.count('delivered')).toBe(2);
  });

  test('that does not want a message gets it once', async () => {
    const receiver = new Receiver(HOOK);
    receiver.answer = () => Promise.resolve(410);
    receiver.sender.send(alert());
    await receiver.run(10_000);
    expect(receiver.sent).toHaveLength(1);
    expect(await receiver.count('given-up')).toBe(1);
  });

  test('that never answers is given up, and its queue is bounded', async () => {
    const receiver = new Receiver(HOOK);
    receiver.answer = () => Promise.reject(new Error('no route'));
    for (let i = 0; i < 1200; i++) {
      receiver.sender.send(alert(`s${i}`));
    }
    expect(receiver.sender.queued).toBe(1000);
    expect(await receiver.count('dropped')).toBe(200);
    await receiver.run(1_600_000);
    expect(await receiver.count('given-up')).toBeGreaterThanOrEqual(1);
    expect(receiver.sent.filter(({ body }) => body === receiver.sent[0]!.body)).toHaveLength(10);
    receiver.sender.close();
    expect(receiver.sender.queued).toBe(0);
    expect(receiver.clock.pending).toBe(0);
  });

  test('that is slow does not hold up another', async () => {
    const receiver = new Receiver(HOOK, { ...HOOK, url: 'https://other.example/' });
    receiver.answer = () =>
      receiver.sent.at(-1)!.url === HOOK.url ? new Promise<number>(() => undefined) : Promise.resolve(200);
    receiver.sender.send(alert('one'));
    receiver.sender.send(alert('two'));
    await receiver.run(1000);
    expect(receiver.sent.filter(({ url }) => url !== HOOK.url)).toHaveLength(2);
  });
});

describe('a signature', () => {
  const body = '{"a":1}';
  const now = 1_700_000_000_000;
  const header = signWebhook(SECRET, body, now);
  const message = { secret: SECRET, header, body, nowEpochMs: now };

  test('fits its secret, its body and its time', () => {
    expect(verifyWebhook(message)).toBe(true);
    expect(verifyWebhook({ ...message, nowEpochMs: now + 299_000 })).toBe(true);
  });

  test.each([
    ['another secret', { secret: 'another secret of ours' }],
    ['a changed body', { body: '{"a":2}' }],
    ['an old message', { nowEpochMs: now + 301_000 }],
    ['a message of the future', { nowEpochMs: now - 301_000 }],
    ['another time', { header: header.replace(/t=\d+/, 't=1700000001') }],
    ['no signature', { header: '' }],
    ['half a signature', { header: header.slice(0, -2) }],
  ])('does not fit %s', (_what, change) => {
    expect(verifyWebhook({ ...message, ...change })).toBe(false);
  });
});
