// When an FLV viewer can start. The file header and onMetaData say once which tracks there are, so a viewer is let in when the
// stream has a picture and its audio is there; an AAC twin of the audio is held from here on, so that it runs. Called by flv-delivery.ts.

import type { StreamTrack, TrackSink } from '../streams/roles.ts';
import type { Stream } from '../streams/stream.ts';
import { carriedAudio } from './carried-audio.ts';
import type { DeliveryContext } from './delivery-context.ts';
import type { WireFormat } from './wire-format.ts';

/** A viewer starts with the tracks that are known after this, whatever they are. */
const TRACKS_MS = 5000;
const LOOK_MS = 50;

/** Keeps a track running; what it delivers goes to the channels. */
const HOLD: TrackSink = { onConfig: () => undefined, onUnit: () => undefined, onEnd: () => undefined };

export type FlvStartOptions = {
  readonly context: Pick<DeliveryContext, 'aac' | 'clock'>;
  readonly stream: Stream;
  readonly format: WireFormat;
  /** Told once, unless it is given up before. */
  readonly onReady: () => void;
  /** Told once, just before `onReady`, when the stream has audio that this viewer starts without. */
  readonly onWithoutAudio: (reason: string) => void;
};

class FlvStart {
  private readonly options: FlvStartOptions;
  private readonly cancels: readonly (() => void)[];
  private held: { readonly track: StreamTrack; readonly release: () => void } | null = null;
  private isOver = false;
  /** Where the group began that was there at the first look: a later one may begin at each picture. */
  private firstDts: number | null = null;

  constructor(options: FlvStartOptions) {
    this.options = options;
    const { clock } = options.context;
    this.cancels = [
      clock.every(LOOK_MS, () => {
        this.look();
      }),
      clock.after(TRACKS_MS, () => {
        this.begin();
      }),
    ];
    queueMicrotask(() => {
      this.look();
    });
  }

  /** The viewer has left: nothing is waited for or held any more. */
  release(): void {
    this.stopWaiting();
    this.held?.release();
    this.held = null;
  }

  private look(): void {
    if (!this.isOver && this.options.stream.tracks.source?.hasGroup === true && this.isAudioSettled()) {
      this.begin();
    }
  }

  private isAudioSettled(): boolean {
    const { stream, format, context } = this.options;
    const audio = carriedAudio(stream.tracks, format, context.aac);
    const track = audio === null || 'reason' in audio ? null : audio;
    this.hold(track);
    return track === null || (track.config !== null && (track === stream.tracks.audio || this.reachesGroup(track)));
  }

  /** A twin that starts now has the past still before it: audio from before the first picture would come behind it. */
  private reachesGroup({ recentUnits = [] }: StreamTrack): boolean {
    this.firstDts ??= this.options.stream.tracks.source?.cachedGroup.units[0]?.dts ?? 0;
    return (recentUnits.at(-1)?.dts ?? Number.NEGATIVE_INFINITY) >= this.firstDts;
  }

  private hold(track: StreamTrack | null): void {
    if (track !== (this.held?.track ?? null)) {
      this.held?.release();
      this.held = track === null ? null : { track, release: track.attach(HOLD) };
    }
  }

  private begin(): void {
    if (this.isOver) {
      return;
    }
    this.stopWaiting();
    const { stream, format, context, onReady, onWithoutAudio } = this.options;
    const audio = carriedAudio(stream.tracks, format, context.aac);
    if (audio !== null && 'reason' in audio) {
      onWithoutAudio(audio.reason);
    } else if (audio !== null && audio.config === null) {
      onWithoutAudio('The AAC of the audio did not start in time.');
    }
    onReady();
  }

  private stopWaiting(): void {
    this.isOver = true;
    for (const cancel of this.cancels) {
      cancel();
    }
  }
}

/** Calls back once the viewer can start. The returned function gives that up, or ends the hold of the audio when the viewer leaves. */
export function startWhenTracksAreKnown(options: FlvStartOptions): () => void {
  const start = new FlvStart(options);
  return () => {
    start.release();
  };
}
