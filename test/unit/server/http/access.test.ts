import type { IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { Access } from '../../../../server/http/access.ts';

const TOKEN = 'operator-token-of-this-test';
const from = (remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage =>
  ({ socket: { remoteAddress }, headers: { host: 'localhost:8080', ...headers } }) as unknown as IncomingMessage;
const access = (options: { trustedProxies?: string[]; allowedOrigins?: string[] } = {}): Access =>
  new Access({ trustedProxies: [], allowedOrigins: [], operatorToken: TOKEN, ...options });

test('the address is the peer behind trusted proxies, and a stranger cannot pretend one', () => {
  const behind = access({ trustedProxies: ['10.0.0.0/8', '::1'] });
  expect(behind.clientAddress(from('10.1.2.3', { 'x-forwarded-for': '203.0.113.9, 10.9.9.9' }))).toBe('203.0.113.9');
  expect(behind.clientAddress(from('::ffff:10.1.2.3', { 'x-forwarded-for': '203.0.113.9' }))).toBe('203.0.113.9');
  expect(behind.clientAddress(from('198.51.100.1', { 'x-forwarded-for': '127.0.0.1' }))).toBe('198.51.100.1');
  expect(behind.clientAddress(from('10.1.2.3', { 'x-forwarded-for': 'nonsense' }))).toBe('10.1.2.3');
  expect(access().clientAddress(from('::ffff:192.0.2.7'))).toBe('192.0.2.7');
});

test('an origin is the same host or listed; no browser sends none', () => {
  expect(access().isOriginAllowed(from('192.0.2.1'))).toBe(true);
  expect(access().isOriginAllowed(from('192.0.2.1', { origin: 'http://localhost:8080' }))).toBe(true);
  expect(access().isOriginAllowed(from('192.0.2.1', { origin: 'https://evil.example' }))).toBe(false);
  expect(access().isOriginAllowed(from('192.0.2.1', { origin: 'null' }))).toBe(false);
  const listed = access({ allowedOrigins: ['https://a.example'] });
  expect(listed.isOriginAllowed(from('192.0.2.1', { origin: 'https://a.example' }))).toBe(true);
  expect(listed.crossOrigin(from('192.0.2.1', { origin: 'https://b.example' }))).toBeNull();
  expect(access({ allowedOrigins: ['*'] }).isOriginAllowed(from('192.0.2.1', { origin: 'https://x.example' }))).toBe(
    true,
  );
});

test('operators are on this machine or show the token', () => {
  expect(access().isOperator(from('127.0.0.1'))).toBe(true);
  expect(access().isOperator(from('::1', { host: '[::1]:8080' }))).toBe(true);
  expect(access().isOperator(from('192.0.2.1'))).toBe(false);
  expect(access().isOperator(from('192.0.2.1', { authorization: `Bearer ${TOKEN}` }))).toBe(true);
  expect(access().isOperator(from('192.0.2.1', { authorization: 'Bearer wrong' }))).toBe(false);
  const basic = (password: string): string => `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;
  expect(access().isOperator(from('192.0.2.1', { authorization: basic(TOKEN) }))).toBe(true);
  expect(access().isOperator(from('192.0.2.1', { authorization: basic('wrong') }))).toBe(false);
});

test('a proxy that nobody configured and a page that names itself after this machine make nobody an operator', () => {
  expect(access().isOperator(from('127.0.0.1', { 'x-forwarded-for': '203.0.113.9' }))).toBe(false);
  expect(access().isOperator(from('127.0.0.1', { host: 'rebound.example' }))).toBe(false);
  const behind = access({ trustedProxies: ['127.0.0.1'] });
  expect(behind.isOperator(from('127.0.0.1', { 'x-forwarded-for': '203.0.113.9', host: 'live.example' }))).toBe(false);
});
