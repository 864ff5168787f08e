// The renditions of one source, spread over the worker's own thread and its lanes. A rendition stays where it was put: moving its encoder
// would cost an IDR picture and the state of its rate control. Called by source-pipeline.ts.

import type { AccessUnit, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { I420Frame } from '../../shared/media/frame.ts';
import type { EncodeStats, RenditionDescription } from '../streams/roles.ts';
import type { CodecSet } from './codec-set.ts';
import { type PictureOrder, RenditionEncoder } from './rendition-encoder.ts';
import type { RenditionLane } from './rendition-lane.ts';
import { leastLoaded } from './thread-load.ts';

export type TeamHost = {
  readonly codecs: CodecSet;
  readonly lanes: readonly RenditionLane[];
  /** Milliseconds on the shared clock. */
  readonly now: () => number;
  /** CPU milliseconds of this thread. */
  readonly cpuNow: () => number;
  readonly onConfig: (rendition: string, config: VideoTrackConfig) => void;
  readonly onUnit: (rendition: string, unit: AccessUnit, stats: EncodeStats) => void;
  /** One picture was encoded in so much CPU time, in whichever thread. */
  readonly onCost: (size: { readonly width: number; readonly height: number }, ms: number) => void;
};

type Member = {
  readonly description: RenditionDescription;
  /** Null: a lane has it. */
  readonly encoder: RenditionEncoder | null;
  readonly lane: RenditionLane | null;
};

export class RenditionTeam {
  private readonly host: TeamHost;
  private readonly members = new Map<string, Member>();

  constructor(host: TeamHost) {
    this.host = host;
  }

  add(description: RenditionDescription): void {
    const { name } = description;
    if (isSameRendition(this.members.get(name)?.description, description)) {
      return; // the source started over; its encoder goes on
    }
    this.remove(name);
    const lane = this.chooseLane();
    lane?.add(description);
    this.members.set(name, { description, lane, encoder: lane === null ? this.createEncoder(description) : null });
  }

  remove(name: string): void {
    const member = this.members.get(name);
    member?.encoder?.close();
    member?.lane?.remove(name);
    this.members.delete(name);
  }

  requestKeyframe(name: string): void {
    const member = this.members.get(name);
    member?.encoder?.requestKeyframe();
    member?.lane?.requestKeyframe(name);
  }

  /** Encodes the picture in every rendition; all are told before it returns. Gives the CPU milliseconds that this thread spent on encoding. */
  encode(frame: I420Frame, order: PictureOrder): number {
    const { cpuNow, onCost } = this.host;
    const busy = new Set([...this.members.values()].flatMap(({ lane }) => lane ?? []));
    for (const lane of busy) {
      lane.begin(frame, order);
    }
    let ownMs = 0;
    for (const { encoder } of this.members.values()) {
      const startedAt = cpuNow();
      if (encoder?.encode(frame, order) === true) {
        const ms = cpuNow() - startedAt;
        ownMs += ms;
        onCost({ ...encoder.size }, ms);
      }
    }
    for (const lane of busy) {
      this.finish(lane);
    }
    return ownMs;
  }

  close(): void {
    for (const name of [...this.members.keys()]) {
      this.remove(name);
    }
  }

  private finish(lane: RenditionLane): void {
    const { onConfig, onCost, onUnit } = this.host;
    lane.finish((message) => {
      switch (message.kind) {
        case 'config':
          onConfig(message.name, message.config);
          break;
        case 'unit':
          onUnit(message.name, message.unit, message.stats);
          break;
        case 'cost':
          onCost(message, message.ms);
          break;
      }
    });
  }

  /** Where there is least to encode; null: this thread. */
  private chooseLane(): RenditionLane | null {
    const places = [null, ...this.host.lanes.filter(({ isReady }) => isReady)];
    const loads = places.map((place) => {
      const own = [...this.members.values()].filter(({ lane }) => lane === place);
      return own.reduce((sum, { description: { width, height, fps } }) => sum + width * height * fps, 0);
    });
    return places[leastLoaded(loads)] ?? null;
  }

  private createEncoder(description: RenditionDescription): RenditionEncoder {
    const { codecs, now, onConfig, onUnit } = this.host;
    const { name } = description;
    const output = {
      onConfig: (config: VideoTrackConfig) => {
        onConfig(name, config);
      },
      onUnit: (unit: AccessUnit, stats: EncodeStats) => {
        onUnit(name, unit, stats);
      },
    };
    return new RenditionEncoder(description, codecs, output, now);
  }
}

function isSameRendition(a: RenditionDescription | undefined, b: RenditionDescription): boolean {
  return a?.width === b.width && a.height === b.height && a.fps === b.fps && a.kbps === b.kbps;
}
