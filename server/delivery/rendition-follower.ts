// Keeps one subscriber in the channel of the rendition that it should see: shows the source at once while a rendition is starting,
// changes over with its first picture, goes back to the source when it fails or does not start, and tells why.

import type { Stream } from '../streams/stream.ts';
import type { FlushClass } from './channel.ts';
import type { ChannelSet, Membership } from './channel-set.ts';
import type { DeliveryContext } from './delivery-context.ts';
import { chooseRendition, type Choice } from './rendition-choice.ts';
import { SOURCE } from '../streams/stream-tracks.ts';
import type { Subscriber } from './subscriber.ts';
import type { WireFormat } from './wire-format.ts';

/** A rendition that shows no picture for this long after it was asked for is given up. */
const GIVE_UP_MS = 30_000;

export type FollowerOptions = {
  readonly context: DeliveryContext;
  readonly channels: ChannelSet;
  readonly stream: Stream;
  readonly subscriber: Subscriber;
  readonly flushClass: FlushClass;
  readonly format: WireFormat;
  /** `auto`, `source` or a name. */
  readonly requested: string;
  /** False: there is no way to show another rendition once one has started (FLV). */
  readonly canSwitch: boolean;
  /** A choice was made, or had to be changed (with the reason). */
  readonly onChoice: (choice: Choice) => void;
};

export class RenditionFollower {
  private readonly options: FollowerOptions;
  private requested: string;
  private membership: Membership | null = null;
  private current: string | null = null;
  private cancelWait: (() => void) | null = null;
  private choseBlindly = false;
  private isBridged = false;
  private isClosed = false;

  constructor(options: FollowerOptions) {
    this.options = options;
    this.requested = options.requested;
  }

  /** The rendition that is delivered; null before the first. */
  get rendition(): string | null {
    return this.current;
  }

  start(): void {
    this.choseBlindly = !this.hasPicture();
    this.follow(chooseRendition(this.requested, this.options.stream.tracks));
  }

  /** The viewer asks for another rendition. */
  select(requested: string): void {
    this.requested = requested;
    this.start();
  }

  /** The stream's tracks or menu changed: who chose while there was no picture yet chooses again. */
  reconsider(): void {
    if (this.choseBlindly && this.hasPicture()) {
      this.start();
    }
  }

  /** The viewer misses an object of what is delivered to it. */
  takeLoss(loss: { readonly track: number; readonly group: number }): void {
    this.membership?.channel.takeLoss(loss);
  }

  close(): void {
    this.isClosed = true;
    this.cancelWait?.();
    this.cancelWait = null;
    this.membership?.leave();
    this.membership = null;
  }

  private hasPicture(): boolean {
    return this.options.stream.tracks.source?.config?.kind === 'video';
  }

  private follow(choice: Choice): void {
    this.cancelWait?.();
    this.cancelWait = null;
    this.isBridged = false;
    if (this.isClosed) {
      return;
    }
    this.options.onChoice(choice);
    if (choice.rendition === this.current) {
      return;
    }
    if (choice.rendition === SOURCE) {
      this.enter(SOURCE);
      return;
    }
    this.waitFor(choice.rendition);
  }

  /** Holds the rendition so that it runs, and changes over with its first picture. */
  private waitFor(rendition: string): void {
    const { stream, context } = this.options;
    const held = stream.tracks.holdRendition(rendition);
    if (held === null) {
      this.fallBack(`The rendition ${rendition} is not on offer any more.`);
      return;
    }
    let detach: () => void = () => undefined;
    const wait = { isOver: false };
    const over = (next: () => void): void => {
      if (!wait.isOver) {
        wait.isOver = true;
        this.cancelWait = null;
        cancelGivingUp();
        // Not within the track's own delivery: the sinks must not change under it.
        queueMicrotask(() => {
          detach();
          if (!this.isClosed) {
            next();
          }
          held.release();
        });
      }
    };
    const cancelGivingUp = context.clock.after(GIVE_UP_MS, () => {
      over(() => {
        this.fallBack(`The rendition ${rendition} did not start in time.`);
      });
    });
    this.cancelWait = () => {
      over(() => undefined);
    };
    detach = held.track.attach({
      onConfig: () => undefined,
      onUnit: () => {
        over(() => {
          if (this.isBridged) {
            this.isBridged = false;
            this.options.onChoice({ rendition });
          }
          this.enter(rendition);
        });
      },
      onEnd: () => {
        over(() => {
          this.lost(rendition);
        });
      },
    });
    if (!wait.isOver && this.options.canSwitch) {
      this.bridge(`The rendition ${rendition} is starting.`);
    }
  }

  /** Who has no picture yet sees the source until the rendition has its first. */
  private bridge(reason: string): void {
    this.isBridged = true;
    this.options.onChoice({ rendition: this.current ?? SOURCE, reason });
    if (this.current === null) {
      this.enter(SOURCE);
    }
  }

  private enter(rendition: string): void {
    const { channels, stream, flushClass, format, subscriber } = this.options;
    this.membership?.leave();
    this.current = rendition;
    this.membership = channels.join({
      stream,
      rendition,
      flushClass,
      format,
      subscriber,
      onLost: () => {
        this.lost(rendition);
      },
    });
    if (this.membership === null) {
      this.fallBack(`The rendition ${rendition} is not on offer any more.`);
    }
  }

  /** The rendition ended: what was asked for may still be had another way (`auto`, or a new size of the same name). */
  private lost(rendition: string): void {
    if (this.isClosed) {
      return;
    }
    if (this.current === rendition) {
      this.membership?.leave();
      this.membership = null;
      this.current = null;
    }
    const { reason, ...choice } = chooseRendition(this.requested, this.options.stream.tracks);
    this.follow({ ...choice, reason: reason ?? `The rendition ${rendition} ended.` });
  }

  private fallBack(reason: string): void {
    this.options.context.logger.debug({ stream: this.options.stream.id, reason }, 'a viewer falls back to the source');
    this.isBridged = false;
    if (this.membership === null) {
      this.current = null;
    }
    this.follow({ rendition: SOURCE, reason });
  }
}
