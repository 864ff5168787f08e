// Who a request comes from and what it may do: the client's address behind trusted proxies, the Origin rule, and operators
// (loopback, or the operator token as Bearer or as the password of Basic, which is what a browser can ask for).

import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { equalSecrets } from '../platform/secrets.ts';

export type AccessOptions = {
  readonly trustedProxies: readonly string[];
  /** Origins beside the same one; `*` for all. */
  readonly allowedOrigins: readonly string[];
  readonly operatorToken: string;
};

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const FORWARDED = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'] as const;

/** An IPv4 address in its IPv6 clothes is the IPv4 address. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}

function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

function blockListOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(address) === 0) {
      continue;
    }
    if (prefix === undefined) {
      list.addAddress(address, family);
    } else {
      list.addSubnet(address, Math.min(Number(prefix), family === 'ipv6' ? 128 : 32), family);
    }
  }
  return list;
}

export class Access {
  private readonly proxies: BlockList;
  private readonly options: AccessOptions;

  constructor(options: AccessOptions) {
    this.options = options;
    this.proxies = blockListOf(options.trustedProxies);
  }

  /** Whether the TCP peer is a proxy whose headers are believed. */
  isProxy(address: string): boolean {
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && this.proxies.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
  }

  /** The client's address: the TCP peer's, or behind trusted proxies the last one that is none of them. */
  clientAddress(request: IncomingMessage): string {
    let address = plainAddress(request.socket.remoteAddress ?? '');
    const header = request.headers['x-forwarded-for'];
    const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').map((hop) => hop.trim());
    while (this.isProxy(address)) {
      const hop = hops.pop();
      if (hop === undefined || isIP(plainAddress(hop)) === 0) {
        break;
      }
      address = plainAddress(hop);
    }
    return address;
  }

  /** No Origin (no browser), the same host, or an allowed one. */
  isOriginAllowed(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    if (origin === undefined) {
      return true;
    }
    if (this.options.allowedOrigins.includes('*') || this.options.allowedOrigins.includes(origin)) {
      return true;
    }
    try {
      const proxied = this.isProxy(request.socket.remoteAddress ?? '')
        ? request.headers['x-forwarded-host']
        : undefined;
      return new URL(origin).host === (typeof proxied === 'string' ? proxied : host);
    } catch {
      return false;
    }
  }

  /** The origin that may read the answer across origins; null for the same one and for those that may not. */
  crossOrigin(request: IncomingMessage): string | null {
    const { origin } = request.headers;
    const { allowedOrigins } = this.options;
    return origin !== undefined && (allowedOrigins.includes('*') || allowedOrigins.includes(origin)) ? origin : null;
  }

  /** On this machine, or with the operator token. */
  isOperator(request: IncomingMessage): boolean {
    return this.isLocal(request) || this.hasToken(request);
  }

  /**
   * Straight from this machine. Not: through a proxy that nobody configured (it would make everybody local), and not under a
   * foreign host name (a page that points its own name at 127.0.0.1).
   */
  private isLocal(request: IncomingMessage): boolean {
    const isProxied = FORWARDED.some((name) => request.headers[name] !== undefined);
    if (isProxied && !this.isProxy(request.socket.remoteAddress ?? '')) {
      return false;
    }
    return isLoopback(this.clientAddress(request)) && (isProxied || LOOPBACK_HOST.test(request.headers.host ?? ''));
  }

  private hasToken(request: IncomingMessage): boolean {
    const [scheme = '', credentials = ''] = (request.headers.authorization ?? '').split(' ', 2);
    if (scheme.toLowerCase() === 'bearer') {
      return equalSecrets(credentials, this.options.operatorToken);
    }
    if (scheme.toLowerCase() === 'basic') {
      const [, password = ''] = Buffer.from(credentials, 'base64').toString('utf8').split(':', 2);
      return equalSecrets(password, this.options.operatorToken);
    }
    return false;
  }
}
