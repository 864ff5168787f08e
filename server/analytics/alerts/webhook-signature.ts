// The signature of a webhook message: HMAC-SHA-256 over its time and its bytes, so that a receiver knows that it comes from here, is
// unchanged, and is not an old one sent again. Header `tessera-signature: t=SECONDS,v1=HEX`. docs/operations/webhooks.md explains it.

import { createHmac, timingSafeEqual } from 'node:crypto';

export const SIGNATURE_HEADER = 'tessera-signature';
/** A message older or newer than this is refused by default, seconds. */
const TOLERANCE_S = 300;

const digest = (secret: string, seconds: number, body: string): Buffer =>
  createHmac('sha256', secret).update(`${seconds}.${body}`).digest();

/** The header's value for a body that is sent at `epochMs`. */
export function signWebhook(secret: string, body: string, epochMs: number): string {
  const seconds = Math.floor(epochMs / 1000);
  return `t=${seconds},v1=${digest(secret, seconds, body).toString('hex')}`;
}

/** For receivers: whether header and body fit the secret and the time is near `nowEpochMs`. Takes the same time for every signature. */
export function verifyWebhook(message: {
  readonly secret: string;
  readonly header: string;
  readonly body: string;
  readonly nowEpochMs: number;
  readonly toleranceSeconds?: number;
}): boolean {
  const { secret, header, body, nowEpochMs, toleranceSeconds = TOLERANCE_S } = message;
  const found = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header);
  const seconds = Number(found?.[1]);
  const given = Buffer.from(found?.[2] ?? '', 'hex');
  const expected = digest(secret, Number.isFinite(seconds) ? seconds : 0, body);
  const isEqual = given.length === expected.length && timingSafeEqual(given, expected);
  return isEqual && Math.abs(nowEpochMs / 1000 - seconds) <= toleranceSeconds;
}
