// One source that is being transcoded: follows the source track, feeds its worker within bounds, hands the encoded units to the
// sinks of the renditions, and starts again when the worker or its decoder dies. Lives while at least one rendition is watched.
// Used by transcoder.ts.

import type { AccessUnit, TrackConfig, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { RenditionDescription, RenditionSink, StreamTrack } from '../streams/roles.ts';
import { RAW_CODEC } from '../../shared/protocol/track-message.ts';
import { asSentence } from './as-sentence.ts';
import { RestartPolicy } from './restart-policy.ts';
import { UnitQueue, type QueuedUnit } from './unit-queue.ts';
import { sharedNow, type DecoderChoice, type FromWorker } from './worker-messages.ts';
import type { PooledWorker, WorkerPool } from './worker-pool.ts';

export type SourceTranscodeHost = {
  readonly pool: WorkerPool;
  /** Chooses the decoder, or says why there is none (a clause; see asSentence). `isOursRefused`: our decoder has met a feature that it lacks. */
  readonly chooseDecoder: (
    config: VideoTrackConfig,
    isOursRefused: boolean,
  ) => DecoderChoice | { readonly reason: string };
  readonly onCost: (work: 'encode' | 'decode', size: { width: number; height: number }, ms: number) => void;
  readonly onDropped: (reason: 'queue' | 'late' | 'decoder', count: number) => void;
  readonly onRestart: (sentence: string) => void;
  /** Nothing more will come: restarts were in vain, or no decoder. The sinks have been told. */
  readonly onFailed: () => void;
};

/** Units that may be with the worker at a time; the rest waits in the queue, where it can be dropped. Raw pictures are large and need
 * nobody before them: where encoding is too slow for them, few may wait, so that the newest is never far behind. */
const WINDOW = { coded: 4, raw: 2 } as const;
const CODED_LIMITS = { maxUnits: 1200, maxBytes: 32 << 20, maxAgeMs: 10_000 };
const RAW_LIMITS = { maxUnits: 2, maxBytes: 64 << 20, maxAgeMs: 1000 };

export class SourceTranscode {
  private readonly source: StreamTrack;
  private readonly host: SourceTranscodeHost;
  private readonly renditions = new Map<
    string,
    { readonly description: RenditionDescription; readonly sink: RenditionSink }
  >();
  private readonly restarts = new RestartPolicy();
  private worker: PooledWorker | null = null;
  private detach: (() => void) | null = null;
  private restartTimer: NodeJS.Timeout | null = null;
  private queue = new UnitQueue('to-next-key', CODED_LIMITS);
  private config: VideoTrackConfig | null = null;
  private isOursRefused = false;
  private window: number = WINDOW.coded;
  private inFlight = 0;
  private nextIndex = 1;
  private currentGroup = -1;
  private skipUpToGroup = -1;
  private heldCached: QueuedUnit | null = null;
  private isStopped = false;

  constructor(source: StreamTrack, host: SourceTranscodeHost) {
    this.source = source;
    this.host = host;
  }

  /** Renditions that are being made. */
  get size(): number {
    return this.renditions.size;
  }

  has(name: string): boolean {
    return this.renditions.has(name);
  }

  /** Makes one more rendition; the first starts the work. */
  add(description: RenditionDescription, sink: RenditionSink): void {
    this.renditions.set(description.name, { description, sink });
    if (this.worker !== null) {
      this.worker.post({ kind: 'add-rendition', rendition: description });
    } else if (this.restartTimer === null) {
      this.start();
    }
  }

  /** Stops one rendition; the caller calls stop() when none is left. */
  remove(name: string): void {
    this.renditions.delete(name);
    this.worker?.post({ kind: 'remove-rendition', name });
  }

  requestKeyframe(name: string): void {
    this.worker?.post({ kind: 'keyframe', name });
  }

  /** Ends the work and gives the worker back. */
  stop(): void {
    this.isStopped = true;
    this.renditions.clear();
    this.halt();
    if (this.worker !== null) {
      this.host.pool.release(this.worker);
      this.worker = null;
    }
  }

  private start(): void {
    this.restartTimer = null;
    if (this.isStopped) {
      return;
    }
    const worker = this.host.pool.acquire({
      onMessage: (message) => {
        this.receive(message);
      },
      onDeath: (sentence, isPoison) => {
        this.worker = null;
        this.startAgain(sentence, isPoison);
      },
    });
    if (worker === null) {
      this.fail('all transcode workers are taken by other streams');
      return;
    }
    this.worker = worker;
    this.inFlight = 0;
    this.follow();
  }

  /** Attaches to the source: its cached group first, decoded up to the live edge without being encoded, then live. */
  private follow(): void {
    this.halt();
    this.config = null;
    const detach = this.source.attach({
      onConfig: (config) => {
        this.onConfig(config);
      },
      onUnit: (unit, group, isCached) => {
        this.onUnit(unit, group, isCached);
      },
      onEnd: () => undefined, // the stream stops its renditions itself
    });
    if (this.worker === null) {
      detach(); // failed while attaching
      return;
    }
    this.detach = detach;
    this.releaseHeld(false); // the newest cached picture is shown at once
    this.pump();
  }

  private halt(): void {
    if (this.restartTimer !== null) {
      clearTimeout(this.restartTimer);
      this.restartTimer = null;
    }
    this.detach?.();
    this.detach = null;
    this.heldCached = null;
    this.queue.clear();
  }

  private onConfig(config: TrackConfig): void {
    if (config.kind !== 'video') {
      return;
    }
    const isFirst = this.config === null;
    this.config = config;
    const decoder = this.host.chooseDecoder(config, this.isOursRefused);
    if ('reason' in decoder) {
      this.fail(decoder.reason);
      return;
    }
    // Units of the old configuration that still wait would be decoded with the new one.
    this.host.onDropped('queue', this.queue.length);
    this.window = config.codec === RAW_CODEC ? WINDOW.raw : WINDOW.coded;
    this.queue =
      config.codec === RAW_CODEC
        ? new UnitQueue('oldest-picture', RAW_LIMITS)
        : new UnitQueue('to-next-key', CODED_LIMITS);
    this.worker?.post({ kind: 'source', source: { config, decoder } });
    if (isFirst) {
      for (const { description } of this.renditions.values()) {
        this.worker?.post({ kind: 'add-rendition', rendition: description });
      }
    }
  }

  private onUnit(unit: AccessUnit, group: number, isCached: boolean): void {
    if (group <= this.skipUpToGroup) {
      return;
    }
    const queued: QueuedUnit = { unit, group, isCatchUp: isCached, queuedAt: sharedNow() };
    if (isCached) {
      this.releaseHeld(true);
      this.heldCached = queued;
      return;
    }
    this.releaseHeld(false);
    this.enqueue(queued);
    this.pump();
  }

  /** Cached units lag by one, because only the last of them is to be encoded. What no other needs is not decoded for that. */
  private releaseHeld(isCatchUp: boolean): void {
    const held = this.heldCached;
    this.heldCached = null;
    if (held !== null && !(isCatchUp && held.unit.priority === 'discardable')) {
      this.enqueue({ ...held, isCatchUp });
    }
  }

  private enqueue(queued: QueuedUnit): void {
    const before = this.queue.dropped;
    const wantsKey = this.queue.push(queued);
    if (this.queue.dropped > before) {
      this.host.onDropped('queue', this.queue.dropped - before);
    }
    if (wantsKey) {
      this.source.requestKeyframe();
    }
  }

  private pump(): void {
    while (this.worker !== null && this.inFlight < this.window) {
      const next = this.queue.shift();
      if (next === undefined) {
        return;
      }
      this.inFlight++;
      this.currentGroup = next.group;
      const index = this.nextIndex++;
      this.worker.announceNewest(index + this.queue.length);
      // The unit is shared with every viewer: the worker gets a copy of its own (slice() of a Buffer would be a view).
      const data = new Uint8Array(next.unit.data);
      const { isCatchUp, queuedAt } = next;
      this.worker.post({ kind: 'unit', unit: { ...next.unit, data }, isCatchUp, queuedAt, index }, [data.buffer]);
    }
    this.worker?.announceNewest(this.nextIndex - 1 + this.queue.length);
  }

  private receive(message: FromWorker): void {
    switch (message.kind) {
      case 'taken':
        this.inFlight--;
        this.pump();
        break;
      case 'config':
        this.renditions.get(message.name)?.sink.setConfig(message.config);
        break;
      case 'unit':
        this.renditions.get(message.name)?.sink.push(message.unit, { encodeMs: message.encodeMs, qp: message.qp });
        break;
      case 'dropped':
        this.host.onDropped(message.reason, message.count);
        break;
      case 'cost':
        this.host.onCost(message.work, message, message.ms);
        break;
      case 'unsupported':
        this.onUnsupported(message.sentence);
        break;
      case 'decoder-died':
        this.startAgain(message.sentence, false);
        break;
      case 'ready':
      case 'reset-done':
        break; // the pool's
    }
  }

  /** Our decoder met what the parameter sets did not tell: from here on ffmpeg decodes this source, if it is there. */
  private onUnsupported(sentence: string): void {
    if (this.isOursRefused || this.config === null) {
      return;
    }
    this.isOursRefused = true;
    const decoder = this.host.chooseDecoder(this.config, true);
    if ('reason' in decoder) {
      this.fail(decoder.reason);
      return;
    }
    this.host.onRestart(`${sentence}; ffmpeg decodes it from here on`);
    this.follow();
  }

  private startAgain(sentence: string, isPoison: boolean): void {
    if (this.isStopped) {
      return;
    }
    this.halt();
    const restart = this.restarts.onDeath(sharedNow(), this.currentGroup, isPoison);
    if (restart.kind === 'give-up') {
      this.fail(`the transcoder failed again and again: ${sentence}`);
      return;
    }
    this.host.onRestart(sentence);
    if (restart.skipGroup) {
      this.skipUpToGroup = this.currentGroup;
      this.source.requestKeyframe();
    }
    this.restartTimer = setTimeout(() => {
      this.restartTimer = null;
      if (this.worker === null) {
        this.start();
      } else {
        this.follow(); // the worker lives, its decoder died
      }
    }, restart.delayMs);
  }

  private fail(reason: string): void {
    this.isStopped = true;
    const sinks = [...this.renditions.values()].map(({ sink }) => sink);
    this.halt();
    if (this.worker !== null) {
      this.host.pool.release(this.worker);
      this.worker = null;
    }
    for (const sink of sinks) {
      sink.fail(asSentence(reason));
    }
    this.renditions.clear();
    this.host.onFailed();
  }
}
