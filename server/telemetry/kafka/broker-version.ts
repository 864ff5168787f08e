// Which line of Kafka a broker is, from the newest Produce version that it speaks: the protocol has no release number. One ApiVersions
// request (v0, which every broker answers before authentication) on a connection of its own.

import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const API_VERSIONS = 18;
const PRODUCE = 0;
const TIMEOUT_MS = 3000;

/** Newest Produce version -> release line. */
const LINES: readonly (readonly [produce: number, line: string])[] = [
  [13, '4.1'],
  [12, '4.0'],
  [11, '3.8'],
  [10, '3.7'],
];

function request(): Buffer {
  const client = Buffer.from('tessera', 'utf8');
  const body = Buffer.alloc(4 + 10 + client.length);
  body.writeInt32BE(body.length - 4, 0);
  body.writeInt16BE(API_VERSIONS, 4);
  body.writeInt16BE(0, 6);
  body.writeInt32BE(1, 8);
  body.writeInt16BE(client.length, 12);
  client.copy(body, 14);
  return body;
}

/** Newest Produce version of a response: size, correlation id, error, then (key, min, max) per API. */
function newestProduce(response: Buffer): number | null {
  const count = response.readInt32BE(10);
  for (let i = 0; i < count && 20 + i * 6 <= response.length; i++) {
    if (response.readInt16BE(14 + i * 6) === PRODUCE) {
      return response.readInt16BE(18 + i * 6);
    }
  }
  return null;
}

async function answer(socket: Socket): Promise<Buffer> {
  let received = Buffer.alloc(0);
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer')));
  socket.write(request());
  for await (const piece of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, piece]);
    if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
      break;
    }
  }
  return received;
}

/** `4.1` and so on, with `+` where the broker is newer than this file; null when it cannot be told. */
export async function brokerVersion(broker: string, ssl: boolean): Promise<string | null> {
  const [host = '', port = ''] = broker.split(':');
  const address = { host, port: Number(port) };
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = ssl ? connectTls({ ...address, ...name }) : connectPlain(address);
  try {
    const produce = newestProduce(await answer(socket));
    if (produce === null) {
      return null;
    }
    const newest = LINES[0]?.[0] ?? 0;
    const line = LINES.find(([version]) => produce >= version)?.[1] ?? null;
    return produce > newest && line !== null ? `${line}+` : line;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}
