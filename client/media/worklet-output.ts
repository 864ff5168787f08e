// Sound by AudioWorklet: an AudioContext at the track's own rate, the processor of audio-worklet.ts, and a gain for the volume.
// Runs on the page; samples come straight from the decode worker through the port that it returns.

import workletUrl from './audio-worklet.ts?worker&url';

const FADE_S = 0.03;
const LATENCY_EVERY_MS = 500;

/** What both kinds of sound output can do. */
export interface SoundOutput {
  setVolume(volume: number): void;
  close(): void;
}

/** True where the page may use AudioWorklet and WebCodecs' audio decoder (a secure context). */
export function hasWorkletSound(): boolean {
  return typeof AudioWorkletNode === 'function' && typeof AudioDecoder === 'function';
}

/** Time from the worklet to the loudspeaker, ms; differences only, so a wrong page clock does no harm. */
function outputLatencyMs(context: AudioContext): number {
  const { contextTime = 0, performanceTime = 0 } = context.getOutputTimestamp();
  const heardNow = contextTime + (performance.now() - performanceTime) / 1000;
  const measured = (context.currentTime - heardNow) * 1000;
  const declared = (context.outputLatency || context.baseLatency || 0) * 1000;
  return contextTime > 0 && measured > 0 && measured < 400 ? measured : declared;
}

/** Sound output through an AudioWorklet. Created from a user's gesture, else the browser keeps it silent. */
export class WorkletOutput implements SoundOutput {
  readonly #context: AudioContext;
  readonly #gain: GainNode;
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor(context: AudioContext, gain: GainNode, onLatency: (ms: number) => void) {
    this.#context = context;
    this.#gain = gain;
    onLatency(outputLatencyMs(context));
    this.#timer = setInterval(() => onLatency(outputLatencyMs(context)), LATENCY_EVERY_MS);
  }

  /** Starts the context; `port` is for the decode worker. Rejects when the browser does not let sound start. */
  static async create(
    sampleRate: number,
    channels: number,
    onLatency: (ms: number) => void,
  ): Promise<{ readonly output: WorkletOutput; readonly port: MessagePort }> {
    const context = new AudioContext({ sampleRate, latencyHint: 'interactive' });
    await context.audioWorklet.addModule(workletUrl);
    const node = new AudioWorkletNode(context, 'tessera-sound', {
      numberOfInputs: 0,
      outputChannelCount: [Math.min(channels, 2)],
    });
    const gain = context.createGain();
    node.connect(gain).connect(context.destination);
    const channel = new MessageChannel();
    node.port.postMessage(channel.port1, [channel.port1]);
    await context.resume();
    return { output: new WorkletOutput(context, gain, onLatency), port: channel.port2 };
  }

  setVolume(volume: number): void {
    this.#gain.gain.setTargetAtTime(volume, this.#context.currentTime, FADE_S);
  }

  close(): void {
    clearInterval(this.#timer);
    void this.#context.close();
  }
}
