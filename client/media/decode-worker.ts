// Worker of the player: receives, decodes and paints one stream, off the page's thread. Entry for messages of decode-messages.ts;
// playback-session.ts does the work. Started by player/start-decode-worker.ts.

import { createRenderer } from '../render/create-renderer.ts';
import type { FromDecodeWorker, PlaybackRequest, ToDecodeWorker } from './decode-messages.ts';
import { PlaybackSession } from './playback-session.ts';

const scope = self as unknown as DedicatedWorkerGlobalScope;
let session: PlaybackSession | null = null;

function tell(message: FromDecodeWorker, transfer: Transferable[] = []): void {
  scope.postMessage(message, transfer);
}

function start(request: PlaybackRequest): void {
  const { canvas, renderer } = request;
  try {
    session = new PlaybackSession(
      request,
      () => (canvas === undefined ? null : createRenderer(canvas, renderer)),
      tell,
    );
  } catch (error) {
    tell({ type: 'failed', sentence: String(error) });
  }
}

type Handlers = {
  readonly [Type in ToDecodeWorker['type']]: (message: Extract<ToDecodeWorker, { type: Type }>) => void;
};

const handlers: Handlers = {
  start,
  select: ({ rendition }) => session?.select(rendition),
  pause: () => session?.pause(),
  resume: () => session?.resume(),
  hidden: ({ isHidden }) => session?.setHidden(isHidden),
  online: () => session?.wake(),
  'sound-on': ({ port, route }) => session?.audio.attach(port, route),
  'sound-off': () => session?.audio.detach(),
  'output-latency': ({ ms }) => session?.audio.setOutputLatency(ms),
  release: ({ buffer }) => session?.release(buffer),
};

scope.onmessage = ({ data: message }: MessageEvent<ToDecodeWorker>) => {
  const handle = handlers[message.type] as (message: ToDecodeWorker) => void;
  handle(message);
};
