// The renditions of one stream: what is on offer, which run, and who holds them. One starts with its first viewer and stops
// a little after its last. A rendition that fails is off the menu for a while, with the reason.

import { randomUUID } from 'node:crypto';
import type { VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { StreamId } from '../../shared/media/brands.ts';
import type { RenditionDescription, RunningRendition, StreamTrack } from './roles.ts';
import type { StreamContext } from './stream-context.ts';
import { Track } from './track.ts';

const FIRST_RETRY_MS = 2000;
const LAST_RETRY_MS = 60_000;

type Running = {
  description: RenditionDescription;
  readonly track: Track;
  readonly session: string;
  work: RunningRendition;
  users: number;
  cancelLinger: (() => void) | null;
};

type Failure = { readonly reason: string; readonly untilMs: number; readonly retryMs: number };

/** A held rendition: its track, and how to let go (calling it twice does nothing). */
export type HeldRendition = { readonly track: Track; readonly release: () => void };

/** What can be watched beside the source, best first, and why not more. */
export type Offer = { readonly renditions: readonly RenditionDescription[]; readonly reason?: string };

export class RenditionSet {
  private readonly context: StreamContext;
  private readonly streamId: StreamId;
  private readonly onChange: () => void;
  private readonly running = new Map<string, Running>();
  private readonly failures = new Map<string, Failure>();
  private source: { readonly track: StreamTrack; readonly config: VideoTrackConfig } | null = null;

  constructor(context: StreamContext, streamId: StreamId, onChange: () => void) {
    this.context = context;
    this.streamId = streamId;
    this.onChange = onChange;
  }

  /** The tracks that run now. */
  get tracks(): readonly Track[] {
    return [...this.running.values()].map(({ track }) => track);
  }

  /** The source has this configuration now; null: it is gone, and so are its renditions. */
  setSource(track: StreamTrack | null, config: VideoTrackConfig | null): void {
    this.source = track === null || config === null ? null : { track, config };
    if (this.source === null) {
      this.stop();
      return;
    }
    const renditions = this.context.renditions?.offer(this.source.config).renditions ?? [];
    for (const [name, entry] of this.running) {
      const next = renditions.find((description) => description.name === name);
      if (next === undefined) {
        this.finish(name, entry, 'not offered for the new source');
      } else if (next.width !== entry.description.width || next.height !== entry.description.height) {
        entry.work.stop();
        entry.description = next;
        entry.work = this.launch(name, entry.track, next);
      }
    }
    this.onChange();
  }

  offer(): Offer {
    const provider = this.context.renditions;
    if (this.source === null || provider === undefined) {
      return { renditions: [], reason: 'This server makes no renditions.' };
    }
    const now = this.context.clock.monotonicMs();
    const offered = provider.offer(this.source.config);
    const blocked = [...this.failures].filter(([, failure]) => failure.untilMs > now);
    const names = new Set(blocked.map(([name]) => name));
    const renditions = [
      ...[...this.running.values()].map(({ description }) => description),
      ...offered.renditions.filter(({ name }) => !this.running.has(name) && !names.has(name)),
    ].sort((one, other) => other.height - one.height || other.kbps - one.kbps);
    const reason = renditions.length > 0 ? undefined : (blocked[0]?.[1].reason ?? offered.reason);
    return reason === undefined ? { renditions } : { renditions, reason };
  }

  /** Starts the rendition or joins those who watch it; null when it is not on offer. */
  hold(name: string): HeldRendition | null {
    const entry = this.running.get(name) ?? this.start(name);
    if (entry === null) {
      return null;
    }
    entry.cancelLinger?.();
    entry.cancelLinger = null;
    entry.users++;
    let held = true;
    const release = (): void => {
      if (held) {
        held = false;
        entry.users--;
        this.lingerIfUnused(name, entry);
      }
    };
    return { track: entry.track, release };
  }

  /** Ends every rendition at once. */
  stop(): void {
    for (const [name, entry] of this.running) {
      this.finish(name, entry, 'the source ended');
    }
  }

  private start(name: string): Running | null {
    const description = this.offer().renditions.find((candidate) => candidate.name === name);
    if (description === undefined) {
      return null;
    }
    const holder: { work?: RunningRendition } = {};
    const track = new Track(this.context, {
      stream: this.streamId,
      name,
      encoder: 'tessera',
      onKeyframeWanted: () => {
        (this.running.get(name)?.work ?? holder.work)?.requestKeyframe();
      },
    });
    const work = this.launch(name, track, description);
    if (work === stoppedWork) {
      return null;
    }
    holder.work = work;
    const entry: Running = { description, track, session: randomUUID(), work, users: 0, cancelLinger: null };
    this.running.set(name, entry);
    this.context.counters.renditionStarts.inc();
    this.report('rendition-start', name, entry.session);
    return entry;
  }

  private launch(name: string, track: Track, description: RenditionDescription): RunningRendition {
    const { renditions: provider } = this.context;
    if (provider === undefined || this.source === null) {
      return stoppedWork;
    }
    const run = { isActive: true };
    const ifActive = (action: () => void): void => {
      if (run.isActive) {
        action();
      }
    };
    const work = provider.start(this.streamId, this.source.track, description, {
      setConfig: (config) => {
        ifActive(() => {
          track.setConfig(config);
        });
      },
      push: (unit, stats) => {
        ifActive(() => {
          track.push(unit, stats);
        });
      },
      fail: (reason) => {
        ifActive(() => {
          run.isActive = false;
          this.failed(name, reason);
        });
      },
    });
    if (!run.isActive) {
      return stoppedWork; // it failed before it started
    }
    return {
      requestKeyframe: () => {
        work.requestKeyframe();
      },
      stop: () => {
        run.isActive = false;
        work.stop();
      },
    };
  }

  private failed(name: string, reason: string): void {
    const before = this.failures.get(name)?.retryMs ?? FIRST_RETRY_MS / 2;
    const retryMs = Math.min(LAST_RETRY_MS, before * 2);
    this.failures.set(name, { reason, retryMs, untilMs: this.context.clock.monotonicMs() + retryMs });
    this.context.counters.renditionFailures.inc();
    this.context.logger.warn({ stream: this.streamId, rendition: name, reason }, 'a rendition failed');
    const entry = this.running.get(name);
    if (entry !== undefined) {
      this.finish(name, entry, reason);
    }
    this.onChange();
  }

  private lingerIfUnused(name: string, entry: Running): void {
    if (entry.users > 0 || this.running.get(name) !== entry) {
      return;
    }
    entry.cancelLinger = this.context.clock.after(this.context.limits.renditionLingerMs, () => {
      this.failures.delete(name);
      this.finish(name, entry, 'nobody watches');
    });
  }

  private finish(name: string, entry: Running, reason: string): void {
    entry.cancelLinger?.();
    this.running.delete(name);
    entry.work.stop();
    entry.track.end();
    this.report('rendition-end', name, entry.session, reason);
  }

  private report(type: 'rendition-start' | 'rendition-end', rendition: string, session: string, reason?: string): void {
    this.context.reporter.report({
      type,
      topic: 'session',
      stream: this.streamId,
      ts: Math.round(this.context.clock.epochMs()),
      session,
      rendition,
      ...(reason === undefined ? {} : { reason }),
    });
  }
}

const stoppedWork: RunningRendition = { requestKeyframe: () => undefined, stop: () => undefined };
