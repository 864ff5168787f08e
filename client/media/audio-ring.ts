// Decoded sound between the decode worker and the loudspeaker: chunks on the stream's timeline, read at a rate near 1. Chunks whose
// timestamps nearly join are joined (containers round to ms); real gaps are played as silence. Bounded in time: the oldest goes.
// Pure; lives in the AudioWorklet.

/** Samples of one decoded frame, one array per channel. */
export type SoundChunk = { readonly ptsUs: number; readonly channels: readonly Float32Array[] };

type StoredChunk = { readonly startUs: number; readonly frames: number; readonly channels: readonly Float32Array[] };

const JOIN_TOLERANCE_US = 12_000;
const CAPACITY_US = 3_000_000;

/** A timeline of samples with one reader. */
export class AudioRing {
  readonly #sampleRate: number;
  #chunks: StoredChunk[] = [];
  #positionUs: number | null = null;
  #underruns = 0;
  #isStarved = false;

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /** PTS of the next sample to be handed out; null while nothing plays. */
  get positionUs(): number | null {
    return this.#isStarved ? null : this.#positionUs;
  }

  /** Times that the reader found nothing although it was playing. */
  get underruns(): number {
    return this.#underruns;
  }

  /** Sound ahead of the reader, ms. */
  get bufferedMs(): number {
    const last = this.#chunks.at(-1);
    if (last === undefined) {
      return 0;
    }
    const from = Math.max(this.#positionUs ?? 0, this.#chunks[0]?.startUs ?? 0);
    return Math.max(0, (this.#endOf(last) - from) / 1000);
  }

  push(chunk: SoundChunk): void {
    const frames = chunk.channels[0]?.length ?? 0;
    if (frames === 0) {
      return;
    }
    const last = this.#chunks.at(-1);
    const expectedUs = last === undefined ? chunk.ptsUs : this.#endOf(last);
    const startUs = Math.abs(chunk.ptsUs - expectedUs) <= JOIN_TOLERANCE_US ? expectedUs : chunk.ptsUs;
    if (last !== undefined && startUs < expectedUs) {
      this.#chunks = []; // the timeline went back: what was queued belongs to the past
    }
    this.#chunks.push({ startUs, frames, channels: chunk.channels });
    while ((this.#chunks[0]?.startUs ?? startUs) < startUs - CAPACITY_US) {
      this.#chunks.shift();
    }
  }

  /** The next sample handed out is the one at `ptsUs`, or silence until it comes. */
  align(ptsUs: number): void {
    this.#positionUs = ptsUs;
    this.#isStarved = false;
  }

  /** Forgets all sound and stops. */
  flush(): void {
    this.#chunks = [];
    this.#positionUs = null;
    this.#isStarved = false;
  }

  /** Fills one block of every channel; `rate` 1 is real time. */
  read(outputs: readonly Float32Array[], rate: number): void {
    const length = outputs[0]?.length ?? 0;
    outputs.forEach((output) => output.fill(0));
    if (this.#positionUs === null || this.#isStarved) {
      return;
    }
    const stepUs = (1_000_000 / this.#sampleRate) * rate;
    for (let index = 0; index < length; index += 1) {
      const chunk = this.#chunkAt(this.#positionUs);
      if (chunk === 'none') {
        this.#isStarved = true;
        this.#underruns += 1;
        return;
      }
      if (chunk !== 'gap') {
        this.#writeSample(outputs, index, chunk, this.#positionUs);
      }
      this.#positionUs += stepUs;
    }
  }

  #writeSample(outputs: readonly Float32Array[], index: number, chunk: StoredChunk, positionUs: number): void {
    const place = ((positionUs - chunk.startUs) * this.#sampleRate) / 1_000_000;
    const whole = Math.min(Math.floor(place), chunk.frames - 1);
    const fraction = place - whole;
    for (let channel = 0; channel < outputs.length; channel += 1) {
      const samples = chunk.channels[Math.min(channel, chunk.channels.length - 1)];
      const here = samples?.[whole] ?? 0;
      const next = whole + 1 < chunk.frames ? (samples?.[whole + 1] ?? here) : this.#firstOfNext(channel, here);
      const output = outputs[channel];
      if (output !== undefined) {
        output[index] = here + (next - here) * fraction;
      }
    }
  }

  #firstOfNext(channel: number, fallback: number): number {
    const next = this.#chunks[1];
    return next?.channels[Math.min(channel, next.channels.length - 1)]?.[0] ?? fallback;
  }

  #chunkAt(positionUs: number): StoredChunk | 'gap' | 'none' {
    for (let first = this.#chunks[0]; first !== undefined; first = this.#chunks[0]) {
      if (positionUs < first.startUs) {
        return 'gap';
      }
      if (positionUs < this.#endOf(first)) {
        return first;
      }
      this.#chunks.shift();
    }
    return 'none';
  }

  #endOf(chunk: StoredChunk): number {
    return chunk.startUs + (chunk.frames * 1_000_000) / this.#sampleRate;
  }
}
