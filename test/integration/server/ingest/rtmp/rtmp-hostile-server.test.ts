// The whole server under hostile RTMP: a viewer of a good stream sees every picture, and each attacker is counted once in /metrics.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseRtmpAddress, RtmpClient } from '../../../../../server/cli/clients/rtmp-client.ts';
import { WebSocketSubscriber } from '../../../../../server/cli/clients/websocket-subscriber.ts';
import { eventually } from '../../../../support/eventually.ts';
import { avcPicture, avcSequenceHeader, pictureIndex } from '../../../../support/flv-synthesis.ts';
import { attacks } from '../../../../support/rtmp-attacks.ts';
import { RtmpProbe } from '../../../../support/rtmp-probe.ts';
import { startServe } from '../../../../support/serve-process.ts';
import type { ServeProcess } from '../../../../support/serve-process.ts';

const WRONG_KEYS = 40;

let server: ServeProcess;
beforeAll(async () => {
  server = await startServe();
}, 90_000);
afterAll(async () => {
  await server.stop();
}, 30_000);

/** Refusals over RTMP by code, from /metrics. */
async function refusals(): Promise<Record<string, number>> {
  const text = await (await fetch(`${server.http}/metrics`)).text();
  const found: Record<string, number> = {};
  for (const [, labels = '', value] of text.matchAll(/^[a-z_]*refus[a-z_]*_total\{([^}]*)\} (\d+)$/gm)) {
    const code = /code="([^"]*)"/.exec(labels)?.[1];
    if (labels.includes('rtmp') && code !== undefined) {
      found[code] = (found[code] ?? 0) + Number(value);
    }
  }
  return found;
}

test('viewers of a good stream lose no picture, and every attacker is counted once', async () => {
  const port = Number(new URL(server.rtmp).port);
  const good = await RtmpClient.publish(parseRtmpAddress(`${server.rtmp}/good?key=${server.key}`));
  await good.send(avcSequenceHeader());
  let sent = 0;
  const pushing = setInterval(() => void good.send(avcPicture(sent++)), 20);
  const seen: number[] = [];
  let end: Error | null | undefined;
  const viewer = new WebSocketSubscriber(`${server.ws}/subscribe/good?rendition=source`, {
    onTrack: () => undefined,
    onObject: (object) => seen.push(pictureIndex(object.payload)),
    onEnd: (error) => (end = error),
  });
  await eventually('the first pictures', () => seen.length > 10);

  const expected: Record<string, number> = { 'wrong-key': WRONG_KEYS };
  for (const [, open, attack, code] of attacks) {
    const probe = await open(port);
    attack(probe);
    await probe.closed();
    expected[code] = (expected[code] ?? 0) + 1;
  }
  for (let i = 0; i < WRONG_KEYS; i++) {
    const address = parseRtmpAddress(`${server.rtmp}/good?key=wrong${i}`);
    await expect(RtmpClient.publish(address)).rejects.toMatchObject({ code: 'wrong-key' });
  }
  const garbage = await RtmpProbe.open(port);
  garbage.write(Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) & 0xff));
  await garbage.closed();
  expected['malformed'] = (expected['malformed'] ?? 0) + 1;

  await eventually('the counts', async () => {
    const found = await refusals();
    return Object.entries(expected).every(([code, count]) => (found[code] ?? 0) >= count);
  });
  expect(await refusals()).toEqual(expected);
  const goal = sent;
  await eventually('the viewer to be up to date', () => (seen.at(-1) ?? 0) >= goal);
  clearInterval(pushing);
  const first = seen[0] ?? 0;
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => first + i));
  expect(end).toBeUndefined();
  expect(server.log()).not.toContain('died');
  viewer.close();
  await good.close();
}, 90_000);
