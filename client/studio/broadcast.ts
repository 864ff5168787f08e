// One broadcast: the encode worker and what is captured for it. The page's state lives in studio.ts.

import type { FromEncodeWorker, PublishRequest, ToEncodeWorker } from '../media/encode-messages.ts';
import { readElement, readTrack } from './capture.ts';

/** From going live to end(). */
export class Broadcast {
  readonly #worker: Worker;
  #stopElement: (() => void) | null = null;
  #tracks: readonly MediaStreamTrack[] = [];

  constructor(request: PublishRequest, onMessage: (message: FromEncodeWorker) => void) {
    this.#worker = new Worker(new URL('../media/encode-worker.ts', import.meta.url), {
      type: 'module',
      name: 'encode',
    });
    this.#worker.onmessage = (event: MessageEvent<FromEncodeWorker>) => onMessage(event.data);
    this.#worker.onerror = () =>
      onMessage({ type: 'problem', sentence: 'The encoder could not be loaded. Reload the page.' });
    this.#send({ type: 'start', ...request });
  }

  /** What is broadcast from now on. The tracks are copied: the preview keeps its own. */
  setCapture(capture: MediaStream): void {
    this.#release();
    const copies = capture.getTracks().map((track) => track.clone());
    this.#tracks = copies;
    const video = copies.find((track) => track.kind === 'video');
    if (video !== undefined) {
      const frames = readTrack<VideoFrame>(video);
      if (frames === null) {
        this.#readFromElement(capture);
      } else {
        this.#send({ type: 'video', frames }, [frames]);
      }
    }
    const audio = copies.find((track) => track.kind === 'audio');
    const samples = audio === undefined ? null : readTrack<AudioData>(audio);
    if (samples !== null) {
      this.#send({ type: 'audio', samples }, [samples]);
    }
  }

  setCeiling(kbps: number): void {
    this.#send({ type: 'ceiling', kbps });
  }

  end(): void {
    this.#release();
    this.#send({ type: 'end' });
    // The goodbye must leave before the worker does.
    setTimeout(() => this.#worker.terminate(), 1000);
  }

  #release(): void {
    this.#stopElement?.();
    this.#stopElement = null;
    this.#tracks.forEach((track) => track.stop());
    this.#tracks = [];
  }

  #readFromElement(capture: MediaStream): void {
    const element = document.createElement('video');
    element.muted = true;
    element.srcObject = capture;
    element.play().catch(() => undefined); // starts with the first frame
    this.#stopElement = readElement(element, (frame) => this.#send({ type: 'frame', frame }, [frame]));
  }

  #send(message: ToEncodeWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
