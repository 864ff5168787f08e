// Looks at the key pictures of sources that nobody transcodes, so that a black or frozen picture is noticed without a viewer: one worker
// for all streams, within a share of one core; what does not fit is left out and counted (docs/decisions/0007-picture-and-sound.md).
// Owned by the transcoder, which measures the pictures of the sources that it decodes anyway.

import type { AccessUnit, TrackConfig, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { StreamId } from '../../shared/media/brands.ts';
import type { StreamTrack } from '../streams/roles.ts';
import { inspectSource } from './source-inspection.ts';
import type { FromWorker, KeyPicture, MeasuredPicture } from './worker-messages.ts';
import type { PooledWorker, WorkerPool } from './worker-pool.ts';

type MeasuredKey = { readonly picture: MeasuredPicture | null; readonly cpuMs: number };

/** Decodes one key picture; null: it could not be done. */
export type KeyPictureExecutor = {
  measure(picture: KeyPicture): Promise<MeasuredKey | null>;
  close(): void;
};

export type KeyPictureProbeOptions = {
  readonly executor: KeyPictureExecutor;
  /** Share of one core, 0 (off) to 1. */
  readonly maxShare: number;
  /** Milliseconds on any steady clock. */
  readonly now: () => number;
  /** The transcoder decodes this source: it sees more than key pictures. */
  readonly isTranscoded: (source: StreamTrack) => boolean;
  readonly onPicture: (stream: StreamId, picture: MeasuredPicture) => void;
  /** A key picture was not looked at, since the share was used up. */
  readonly onSkipped: () => void;
};

/** Of one stream a picture is looked at this often, and none before it has lasted for a while. */
const EVERY_MS = 900;
const FIRST_AFTER_MS = 3000;
const MAX_WAITING = 4;
/** Unused share that may be saved up, ms of CPU. */
const MAX_SAVED_MS = 250;
/** What a picture costs that ended its worker. */
const FAILED_MS = 500;

/** Key pictures that are alike to this share may be the same picture, or a film that comes round. */
const ALIKE = 0.001;
/** Then what follows a key picture is looked at, too, for this long. */
const FOLLOW_US = 700_000;
const MAX_FOLLOWING = 64;

/** What is known of one source. */
type Watched = {
  readonly stream: StreamId;
  readonly source: StreamTrack;
  config: TrackConfig | null;
  lastAt: number;
  readonly since: number;
  /** The last key pictures were alike. */
  isSuspect: boolean;
  /** Time that a comparison of key pictures covers which was left out, ms. */
  heldMs: number;
  /** The group whose first pictures are being collected. */
  group: { readonly key: AccessUnit; readonly following: AccessUnit[] } | null;
};

export class KeyPictureProbe {
  private readonly options: KeyPictureProbeOptions;
  private waiting = 0;
  private savedMs = MAX_SAVED_MS;
  private filledAt: number;

  constructor(options: KeyPictureProbeOptions) {
    this.options = options;
    this.filledAt = options.now();
  }

  /** Follows the source until the returned function is called or the track ends. */
  watch(stream: StreamId, source: StreamTrack): () => void {
    if (this.options.maxShare <= 0) {
      return () => undefined;
    }
    const watched: Watched = {
      stream,
      source,
      config: null,
      lastAt: -Infinity,
      since: this.options.now(),
      isSuspect: false,
      heldMs: 0,
      group: null,
    };
    return source.attach({
      onConfig: (config) => {
        watched.config = config;
        watched.group = null;
      },
      onUnit: (unit, _group, isCached) => {
        if (!isCached) {
          this.take(watched, unit);
        }
      },
      onEnd: () => {
        watched.group = null;
      },
    });
  }

  close(): void {
    this.options.executor.close();
  }

  private take(watched: Watched, unit: AccessUnit): void {
    if (unit.priority === 'key') {
      this.lookFurther(watched); // of a group that is shorter than what is collected
      this.considerKey(watched, unit);
    } else if (watched.group !== null) {
      const { key, following } = watched.group;
      following.push(unit);
      if (unit.pts - key.pts >= FOLLOW_US || following.length >= MAX_FOLLOWING) {
        this.lookFurther(watched);
      }
    }
  }

  private considerKey(watched: Watched, unit: AccessUnit): void {
    const { now, isTranscoded } = this.options;
    const { config, source } = watched;
    const at = now();
    const isEarly = at - watched.since < FIRST_AFTER_MS || at - watched.lastAt < EVERY_MS;
    if (config?.kind !== 'video' || isEarly || isTranscoded(source)) {
      return;
    }
    const { isH264, missingInOurs } = inspectSource(config);
    if (!isH264 || missingInOurs !== null || !this.hasRoom(at)) {
      return;
    }
    watched.lastAt = at;
    watched.group = { key: unit, following: [] };
    if (watched.isSuspect) {
      return; // with what follows
    }
    this.measure(watched, config, unit, [], (picture) => {
      if (picture.moved === null || picture.moved > ALIKE) {
        this.options.onPicture(watched.stream, picture);
        watched.group = null;
        return;
      }
      // Alike proves nothing: the comparison is left out, and what follows decides.
      watched.isSuspect = true;
      watched.heldMs = picture.sinceMs ?? 0;
      this.options.onPicture(watched.stream, { ...picture, moved: null, sinceMs: null });
    });
  }

  /** The collected pictures of a group, when its key picture was like the one before. */
  private lookFurther(watched: Watched): void {
    const { group, config, isSuspect } = watched;
    watched.group = null;
    if (group === null || !isSuspect || config?.kind !== 'video') {
      return;
    }
    this.measure(watched, config, group.key, group.following, (picture) => {
      watched.isSuspect = picture.moved !== null && picture.moved <= ALIKE;
      const sinceMs = picture.sinceMs === null ? null : picture.sinceMs + watched.heldMs;
      watched.heldMs = 0;
      this.options.onPicture(watched.stream, { ...picture, sinceMs });
    });
  }

  private measure(
    { stream }: Watched,
    config: VideoTrackConfig,
    unit: AccessUnit,
    following: readonly AccessUnit[],
    onPicture: (picture: MeasuredPicture) => void,
  ): void {
    this.waiting++;
    void this.options.executor.measure({ stream, config, unit, following }).then((measured) => {
      this.waiting--;
      this.savedMs -= measured?.cpuMs ?? FAILED_MS;
      if (measured !== null && measured.picture !== null) {
        onPicture(measured.picture);
      }
    });
  }

  private hasRoom(at: number): boolean {
    this.savedMs = Math.min(MAX_SAVED_MS, this.savedMs + (at - this.filledAt) * this.options.maxShare);
    this.filledAt = at;
    const hasRoom = this.savedMs > 0 && this.waiting < MAX_WAITING;
    if (!hasRoom) {
      this.options.onSkipped();
    }
    return hasRoom;
  }
}

/** Decodes in a worker of the pool, taken with the first picture and kept. */
export function pooledKeyPictures(pool: WorkerPool): KeyPictureExecutor {
  let worker: PooledWorker | null = null;
  const waiting: ((measured: MeasuredKey | null) => void)[] = [];
  const onMessage = (message: FromWorker): void => {
    if (message.kind === 'key-picture') {
      waiting.shift()?.(message);
    }
  };
  const giveUp = (): void => {
    worker = null;
    waiting.splice(0).forEach((resolve) => {
      resolve(null);
    });
  };
  return {
    measure: (picture) => {
      if (worker === null) {
        const workers = pool.size;
        worker = pool.acquire({ onMessage, onDeath: giveUp });
        if (pool.size === workers) {
          pool.prewarm(); // a warm one was taken, which the first viewer counts on
        }
      }
      if (worker === null) {
        return Promise.resolve(null);
      }
      // Units are shared with every viewer: the worker gets copies.
      const copies = [picture.unit, ...picture.following].map((unit) => ({ ...unit, data: new Uint8Array(unit.data) }));
      const [unit = picture.unit, ...following] = copies;
      worker.post(
        { kind: 'key-picture', ...picture, unit, following },
        copies.map(({ data }) => data.buffer),
      );
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
    close: () => {
      if (worker !== null) {
        pool.release(worker);
      }
      giveUp();
    },
  };
}
