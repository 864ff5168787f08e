// nginx with its RTMP module as a peer of the fan-out bench: started from the system's packages where both are found, and an RTMP player
// as small as can be (handshake, connect, createStream, play; everything after that is counted, not parsed).

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { amf0Object, writeAmf0, type Amf0Value } from '../../../shared/containers/flv/amf0.ts';
import { RTMP_TYPE, writeChunks } from '../clients/rtmp-chunks.ts';
import { parseRtmpAddress, RtmpClient } from '../clients/rtmp-client.ts';
import { RtmpTarget } from '../publish/publish-target.ts';
import { cpuMsOf, freePort, residentKbOf, untilListening, type BenchServer } from './fan-out-servers.ts';
import { stopChild } from './tessera-server.ts';

const PROGRAM = '/usr/sbin/nginx';
const MODULE = '/usr/lib/nginx/modules/ngx_rtmp_module.so';
const HANDSHAKE_BYTES = 1 + 2 * 1536;
const CHUNK_BYTES = 128;

/** nginx 1.2.2's RTMP module with one worker and chunks of 4096 bytes. Null when it is not installed. */
export async function startNginxRtmp(folder: string): Promise<BenchServer | null> {
  if (!existsSync(PROGRAM) || !existsSync(MODULE)) {
    return null;
  }
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  await writeFile(
    config,
    `load_module ${MODULE}; daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
rtmp { server { listen 127.0.0.1:${port}; chunk_size 4096; application live { live on; } } }
`,
  );
  const child = spawn(PROGRAM, ['-c', config, '-p', folder], { stdio: 'ignore' });
  await untilListening(port, child);
  const client = await RtmpClient.publish(parseRtmpAddress(`rtmp://127.0.0.1:${port}/live/bench`));
  return {
    name: 'nginx-rtmp',
    viewerAddress: () => new URL(`rtmp://127.0.0.1:${port}/live/bench`),
    target: new RtmpTarget(client),
    cpuMs: () => cpuMsOf(child.pid ?? 0),
    residentKb: () => residentKbOf(child.pid ?? 0),
    stop: async () => {
      client.destroy();
      await stopChild(child);
    },
  };
}

function command(messageStream: number, values: readonly Amf0Value[]): Buffer {
  const payload = writeAmf0(values);
  return writeChunks({ chunkStream: 3, type: RTMP_TYPE.command, messageStream, timestamp: 0, payload }, CHUNK_BYTES);
}

/** Plays `address` on a connected socket. Resolves when the server has said that playing starts; later bytes are the caller's. */
export function playRtmp(socket: Socket, address: URL): Promise<void> {
  const [, app = '', name = ''] = address.pathname.split('/');
  const tcUrl = `rtmp://${address.host}/${app}`;
  return new Promise((resolve, reject) => {
    let heard = Buffer.alloc(0);
    let replies = 0;
    const take = (chunk: Buffer): void => {
      heard = Buffer.concat([heard, chunk]);
      if (replies === 0 && heard.length >= HANDSHAKE_BYTES) {
        socket.write(heard.subarray(1, 1537)); // C2 repeats S1
        socket.write(command(0, ['connect', 1, amf0Object({ app, tcUrl, flashVer: 'bench', capabilities: 15 })]));
        heard = heard.subarray(HANDSHAKE_BYTES);
        replies = 1;
      }
      if (replies === 1 && heard.includes('NetConnection.Connect.Success')) {
        socket.write(command(0, ['createStream', 2, null]));
        heard = heard.subarray(heard.indexOf('NetConnection.Connect.Success'));
        replies = 2;
      }
      if (replies === 2 && heard.includes('_result')) {
        socket.write(command(1, ['play', 3, null, name]));
        replies = 3;
      }
      if (replies === 3 && heard.includes('NetStream.Play.Start')) {
        socket.off('data', take);
        resolve();
      }
    };
    socket.on('data', take);
    socket.once('error', reject);
    socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]));
  });
}
