// GET /live/STREAM.flv: one endless body, until either side ends it.

import type { FastifyInstance } from 'fastify';
import type { Access } from '../access.ts';
import type { BodyOutlet, HttpParts } from '../http-parts.ts';

export function liveRoutes(app: FastifyInstance, parts: HttpParts, access: Access): void {
  app.get<{ Params: { file: string } }>('/live/:file', { exposeHeadRoute: false }, (request, reply) => {
    const stream = request.params.file.replace(/\.flv$/, '');
    const query = new URLSearchParams(request.url.split('?', 2)[1] ?? '');
    parts.live.check(request.params.file.endsWith('.flv') ? stream : '', { query });
    reply.hijack();
    const { raw } = reply;
    const { socket } = request.raw;
    const crossOrigin = access.crossOrigin(request.raw);
    raw.useChunkedEncodingByDefault = false; // the outlet writes the body to the socket as it is
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'video/x-flv',
      'cache-control': 'no-store',
      connection: 'close', // the body ends with the connection
      ...(crossOrigin === null ? {} : { 'access-control-allow-origin': crossOrigin, vary: 'Origin' }),
    });
    raw.flushHeaders();
    socket.setNoDelay(true);
    let sentBytes = 0;
    const outlet: BodyOutlet = {
      answersPings: false,
      get waitingBytes() {
        return socket.writableLength;
      },
      get takenBytes() {
        return sentBytes - socket.writableLength;
      },
      write: (chunks) => {
        socket.cork();
        for (const chunk of chunks) {
          sentBytes += chunk.length;
          socket.write(chunk);
        }
        socket.uncork();
      },
      end: () => {
        socket.end();
        socket.setTimeout(2000, () => socket.destroy());
      },
      terminate: () => {
        socket.destroy();
      },
      ping: () => undefined,
    };
    try {
      const viewer = parts.live.watchHttp(outlet, stream, {
        address: access.clientAddress(request.raw),
        path: request.url,
        query,
        subprotocols: [],
      });
      socket.on('drain', () => {
        viewer.onDrain();
      });
      socket.on('close', () => {
        viewer.onClose();
      });
    } catch {
      socket.destroy(); // it went between the check and now
    }
  });
}
