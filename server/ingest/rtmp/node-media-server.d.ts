// Ambient types of node-media-server 4.4.3 for what the guard touches, private fields included. The package ships none, and
// @types/node-media-server describes version 2. test/unit/server/ingest/rtmp/nms-contract.test.ts fails when these fields move.

declare module 'node-media-server/src/core/context.js' {
  /** Process-global: one server per process. */
  const context: {
    config: {
      readonly bind: string;
      /** A falsy port makes no server at all. */
      readonly rtmp: { readonly port: number };
      readonly auth: { readonly play: boolean; readonly publish: boolean; readonly secret: string };
    };
  };
  export default context;
}

declare module 'node-media-server/src/server/rtmp_server.js' {
  import type { Server } from 'node:net';

  export default class NodeRtmpServer {
    readonly tcpServer: Server;
  }
}

declare module 'node-media-server/src/core/logger.js' {
  const logger: { level: string; log(message: string, level?: string): void };
  export default logger;
}

declare module 'node-media-server/src/session/rtmp_session.js' {
  import type { Socket } from 'node:net';

  export type NmsChunkHeader = {
    fmt: number; // 0..3
    cid: number;
    timestamp: number;
    length: number;
    type: number;
    stream_id: number;
  };

  /** One chunk stream's message in assembly. */
  export type NmsRtmpPacket = {
    readonly header: NmsChunkHeader;
    clock: number;
    payload: Buffer;
    capacity: number;
    bytes: number;
  };

  /** What the library hands on per message. `data` is the parser's reused buffer; only `size` bytes of it belong to the message. */
  export type NmsMediaPacket = {
    readonly codec_type: number; // 8 audio, 9 video, 18 script
    readonly dts: number;
    readonly size: number;
    readonly data: Buffer;
  };

  export type NmsRtmp = {
    handshakeState: number; // 0..3, 3 after C2
    parserBuffer: Buffer;
    parserBasicBytes: number;
    parserPacket: NmsRtmpPacket;
    readonly inPackets: Map<number, NmsRtmpPacket>;
    inChunkSize: number;
    readonly outChunkSize: number;
    ackSize?: number;
    streams: number;
    streamApp: string;
    streamName: string;
    streamHost: string;
    streamId: number;
    flv: unknown;
    parserData(data: Buffer): string | null;
    packetParse(): void;
    chunkMessageHeaderRead(): number;
    packetAlloc(): void;
    controlHandler(): void;
    invokeHandler(): void;
    dataHandler(): void;
    onConnect(message: { readonly cmd: string; readonly transId: number; readonly cmdObj: object }): void;
    onCreateStream(message: { readonly transId: number }): void;
    respondPublish(): void;
    setChunkSize(bytes: number): void;
    sendACK(bytes: number): void;
    sendInvokeMessage(streamId: number, message: object): void;
    sendStatusMessage(streamId: number, level: string, code: string, description: string): void;
  };

  export type NmsBroadcast = {
    publisher: RtmpSession | null;
    publishGraceMs: number;
    broadcastMessage: (packet: NmsMediaPacket) => void;
    donePublish: (session: RtmpSession) => void;
  };

  export default class RtmpSession {
    constructor(socket: Socket);
    readonly id: string;
    ip: string;
    isPublisher: boolean;
    readonly rtmp: NmsRtmp;
    broadcast: NmsBroadcast;
    run: () => void;
    onConnect: (request: {
      readonly app: string;
      readonly name: string;
      readonly host: string;
      readonly query: object;
    }) => void;
    onPlay: () => void;
    onPush: () => void;
    onPacket: (packet: NmsMediaPacket) => void;
    onData: (data: Buffer) => void;
    onClose: () => void;
  }
}
