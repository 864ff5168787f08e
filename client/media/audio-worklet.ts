// AudioWorklet processor `tessera-sound`: plays what the decode worker sends through a MessagePort and says where it is.
// Messages: ToAudioOutput in, FromAudioOutput out (decode-messages.ts; repeated here because a worklet has no WebWorker types).

import { AudioRing, type SoundChunk } from './audio-ring.ts';

type Incoming =
  | ({ readonly type: 'samples' } & SoundChunk)
  | { readonly type: 'align'; readonly ptsUs: number }
  | { readonly type: 'rate'; readonly rate: number }
  | { readonly type: 'flush' };

const REPORT_EVERY_BLOCKS = 16; // 43 ms at 48 kHz

class SoundProcessor extends AudioWorkletProcessor {
  readonly #ring = new AudioRing(sampleRate);
  #rate = 1;
  #blocks = 0;
  #worker: MessagePort | null = null;

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<MessagePort>) => {
      this.#worker = event.data;
      this.#worker.onmessage = (message: MessageEvent<Incoming>) => this.#take(message.data);
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    this.#ring.read(outputs[0] ?? [], this.#rate);
    this.#blocks += 1;
    if (this.#blocks % REPORT_EVERY_BLOCKS === 0) {
      this.#worker?.postMessage({
        ptsUs: this.#ring.positionUs,
        bufferedMs: this.#ring.bufferedMs,
        underruns: this.#ring.underruns,
      });
    }
    return true;
  }

  #take(message: Incoming): void {
    switch (message.type) {
      case 'samples':
        this.#ring.push(message);
        break;
      case 'align':
        this.#ring.align(message.ptsUs);
        break;
      case 'rate':
        this.#rate = message.rate;
        break;
      case 'flush':
        this.#ring.flush();
        break;
    }
  }
}

registerProcessor('tessera-sound', SoundProcessor);
