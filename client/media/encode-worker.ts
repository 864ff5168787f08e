// Worker of the studio: encodes and publishes off the page's thread. Entry for messages of encode-messages.ts; publish-session.ts does
// the work. Started by studio/broadcast.ts.

import type { FromEncodeWorker, ToEncodeWorker } from './encode-messages.ts';
import { PublishSession } from './publish-session.ts';

const scope = self as unknown as DedicatedWorkerGlobalScope;
let session: PublishSession | null = null;
let videoReader: ReadableStreamDefaultReader<VideoFrame> | null = null;
let audioReader: ReadableStreamDefaultReader<AudioData> | null = null;
let isBusy = false;

function tell(message: FromEncodeWorker): void {
  scope.postMessage(message);
}

// One frame at a time: what the camera makes meanwhile is dropped by the browser, and counted by its timestamps.
async function readVideo(frames: ReadableStream<VideoFrame>): Promise<void> {
  await videoReader?.cancel();
  const reader = frames.getReader();
  videoReader = reader;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    await pushFrame(value);
  }
}

async function pushFrame(frame: VideoFrame): Promise<void> {
  if (session === null || isBusy) {
    frame.close();
    return;
  }
  isBusy = true;
  await session.pushFrame(frame);
  isBusy = false;
}

async function readAudio(samples: ReadableStream<AudioData>): Promise<void> {
  await audioReader?.cancel();
  const reader = samples.getReader();
  audioReader = reader;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    if (session === null) {
      value.close();
    } else {
      session.pushSamples(value);
    }
  }
}

type Handlers = {
  readonly [Type in ToEncodeWorker['type']]: (message: Extract<ToEncodeWorker, { type: Type }>) => void;
};

const handlers: Handlers = {
  start: (request) => (session = new PublishSession(request, tell)),
  video: ({ frames }) => void readVideo(frames),
  frame: ({ frame }) => void pushFrame(frame),
  audio: ({ samples }) => void readAudio(samples),
  ceiling: ({ kbps }) => session?.setCeiling(kbps),
  end: () => {
    session?.end();
    session = null;
    void videoReader?.cancel();
    void audioReader?.cancel();
  },
};

scope.onmessage = ({ data: message }: MessageEvent<ToEncodeWorker>) => {
  const handle = handlers[message.type] as (message: ToEncodeWorker) => void;
  handle(message);
};
