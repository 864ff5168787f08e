// Sound where the page is not a secure context (no AudioWorklet, no WebCodecs): encoded frames are wrapped as fragmented MP4 and
// played by an audio element through MediaSource. It speaks the same messages to the decode worker as the worklet does, so sound is
// steered to the picture in the same way: by position reports, jumps and small changes of the playback rate.

import type { AudioTrackConfig } from '../../shared/media/access-unit.ts';
import type { FromAudioOutput, ToAudioOutput } from './decode-messages.ts';
import {
  initialisationSegment,
  mediaFragment,
  soundFrameDuration,
  soundMimeType,
  soundTimescale,
  type SoundFrame,
} from './fragmented-mp4.ts';
import type { SoundOutput } from './worklet-output.ts';

const REPORT_EVERY_MS = 50;
const JOIN_TOLERANCE_US = 12_000;
const KEEP_BEHIND_S = 10;
const MAX_WAITING_FRAMES = 200;
const TYPICAL_OUTPUT_LATENCY_MS = 40;

type WaitingFrame = SoundFrame & { readonly ptsUs: number };

function opened(source: MediaSource): Promise<void> {
  return new Promise((resolve) => source.addEventListener('sourceopen', () => resolve(), { once: true }));
}

/** An audio element fed by MediaSource. */
export class MediaSourceOutput implements SoundOutput {
  readonly #element = new Audio();
  readonly #buffer: SourceBuffer;
  readonly #config: AudioTrackConfig;
  readonly #port: MessagePort;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #url: string;
  #waiting: WaitingFrame[] = [];
  #originUs: number | null = null;
  #nextPtsUs = 0;
  #sequence = 0;
  #underruns = 0;
  #isAligned = false;

  private constructor(
    element: HTMLAudioElement,
    url: string,
    buffer: SourceBuffer,
    config: AudioTrackConfig,
    port: MessagePort,
  ) {
    this.#element = element;
    this.#url = url;
    this.#buffer = buffer;
    this.#config = config;
    this.#port = port;
    port.onmessage = (event: MessageEvent<ToAudioOutput>) => this.#take(event.data);
    buffer.addEventListener('updateend', () => this.#append());
    element.addEventListener('waiting', () => (this.#underruns += 1));
    this.#timer = setInterval(() => this.#report(), REPORT_EVERY_MS);
  }

  /** Rejects with a sentence when the browser cannot play the codec this way. */
  static async create(
    config: AudioTrackConfig,
    onLatency: (ms: number) => void,
  ): Promise<{ readonly output: MediaSourceOutput; readonly port: MessagePort }> {
    const type = soundMimeType(config);
    if (typeof MediaSource === 'undefined' || !MediaSource.isTypeSupported(type)) {
      throw new Error(`This browser cannot play the sound of this stream (${config.codec}) on a page without https.`);
    }
    const element = new Audio();
    const source = new MediaSource();
    const url = URL.createObjectURL(source);
    element.src = url;
    const whenOpen = opened(source);
    const whenPlaying = element.play();
    whenPlaying.catch(() => undefined); // starts by itself with the first data
    await whenOpen;
    const buffer = source.addSourceBuffer(type);
    buffer.appendBuffer(initialisationSegment(config) as BufferSource);
    const channel = new MessageChannel();
    onLatency(TYPICAL_OUTPUT_LATENCY_MS);
    return { output: new MediaSourceOutput(element, url, buffer, config, channel.port1), port: channel.port2 };
  }

  setVolume(volume: number): void {
    this.#element.volume = volume;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#port.close();
    this.#element.pause();
    this.#element.removeAttribute('src');
    URL.revokeObjectURL(this.#url);
  }

  #take(message: ToAudioOutput): void {
    switch (message.type) {
      case 'frame':
        this.#enqueue(message.ptsUs, message.data);
        break;
      case 'align':
        this.#align(message.ptsUs);
        break;
      case 'rate':
        this.#element.playbackRate = message.rate;
        break;
      case 'flush':
        this.#waiting = [];
        this.#isAligned = false;
        break;
      case 'samples':
        break; // the other route
    }
  }

  #enqueue(ptsUs: number, data: Uint8Array): void {
    this.#originUs ??= ptsUs;
    const isJoined = Math.abs(ptsUs - this.#nextPtsUs) <= JOIN_TOLERANCE_US;
    const startUs = isJoined ? this.#nextPtsUs : ptsUs;
    const duration = soundFrameDuration(this.#config, data);
    this.#nextPtsUs = startUs + (duration * 1_000_000) / soundTimescale(this.#config);
    this.#waiting.push({ ptsUs: startUs, data, duration });
    this.#waiting.splice(0, Math.max(0, this.#waiting.length - MAX_WAITING_FRAMES));
    this.#append();
  }

  // Frames that follow each other go into one fragment.
  #append(): void {
    const [first] = this.#waiting;
    if (this.#buffer.updating || first === undefined || this.#originUs === null) {
      return;
    }
    const seconds = this.#element.currentTime;
    const [start] = this.#buffer.buffered.length > 0 ? [this.#buffer.buffered.start(0)] : [];
    if (start !== undefined && seconds - start > 2 * KEEP_BEHIND_S) {
      this.#buffer.remove(start, seconds - KEEP_BEHIND_S);
      return;
    }
    const timescale = soundTimescale(this.#config);
    let count = 1;
    let endUs = first.ptsUs + (first.duration * 1_000_000) / timescale;
    for (
      let next = this.#waiting[count];
      next !== undefined && Math.abs(next.ptsUs - endUs) < 2;
      next = this.#waiting[count]
    ) {
      endUs = next.ptsUs + (next.duration * 1_000_000) / timescale;
      count += 1;
    }
    const frames = this.#waiting.splice(0, count);
    const decodeTime = Math.max(0, Math.round(((first.ptsUs - this.#originUs) * timescale) / 1_000_000));
    this.#sequence += 1;
    this.#buffer.appendBuffer(mediaFragment(this.#sequence, decodeTime, frames) as BufferSource);
  }

  #align(ptsUs: number): void {
    if (this.#originUs === null) {
      return;
    }
    const seconds = (ptsUs - this.#originUs) / 1_000_000;
    const { buffered } = this.#buffer;
    const isThere = buffered.length > 0 && seconds >= buffered.start(0) && seconds < buffered.end(buffered.length - 1);
    if (isThere) {
      this.#element.currentTime = seconds;
      this.#isAligned = true;
      this.#element.play().catch(() => undefined); // needs a gesture; the next one brings it
    }
  }

  #report(): void {
    const { buffered } = this.#buffer;
    const end = buffered.length > 0 ? buffered.end(buffered.length - 1) : 0;
    const isPlaying = this.#isAligned && !this.#element.paused && this.#element.readyState >= 3;
    const position: FromAudioOutput = {
      ptsUs: isPlaying && this.#originUs !== null ? this.#originUs + this.#element.currentTime * 1_000_000 : null,
      bufferedMs: Math.max(0, (end - this.#element.currentTime) * 1000),
      underruns: this.#underruns,
    };
    this.#port.postMessage(position);
  }
}
