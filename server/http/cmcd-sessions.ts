// Sessions of other players that report by CMCD: turns their event reports into the same viewer reports that our own player sends, with
// the same distrust: a report counts for the time since the session's last one, by the server's clock. Sessions are bounded, also per
// address; addresses and session ids are only kept as a keyed hash. Called by routes/cmcd.ts.

import { createHmac, randomBytes } from 'node:crypto';
import { ProtocolError } from '../../shared/errors.ts';
import type { CmcdReport } from '../../shared/telemetry/cmcd.ts';
import type { ViewerReport } from '../../shared/telemetry/events.ts';

/** `owner`: whose it is, as a keyed hash. */
type Session = { readonly owner: string; lastMs: number; isRebuffering: boolean; dropped: number };

const MAX_SESSIONS = 10_000;
const MAX_PER_ADDRESS = 64;
const MAX_INTERVAL_MS = 30_000;
const MAX_LATENCY_MS = 600_000;
const MAX_DROPPED_PER_SECOND = 240;
/** Other players have no rendition of ours. */
const RENDITION = 'cmcd';

export class CmcdSessions {
  private readonly salt = randomBytes(16);
  private readonly sessions = new Map<string, Session>();
  private readonly perOwner = new Map<string, number>();

  /** The viewer report of one event report. `nowMs`: the server's wall clock. Throws ProtocolError `limit`. */
  take(
    report: CmcdReport,
    from: { readonly stream: string; readonly address: string; readonly nowMs: number },
  ): ViewerReport {
    const { stream, address, nowMs } = from;
    const owner = this.hash(address);
    const id = this.hash(`${address} ${stream} ${report.sid}`);
    const session = this.sessionOf(id, owner, nowMs);
    const intervalMs = Math.min(MAX_INTERVAL_MS, Math.max(1, nowMs - session.lastMs));
    const stalledMs = Math.min(intervalMs, report.starvedMs ?? (session.isRebuffering ? intervalMs : 0));
    const wasRebuffering = session.isRebuffering;
    const dropped = this.droppedSince(session, report, intervalMs);
    session.lastMs = nowMs;
    session.isRebuffering = report.state === undefined ? wasRebuffering : report.state === 'r';
    this.leaveAtEnd(id, session, report);
    const begins = (session.isRebuffering && !wasRebuffering) || (report.isStarved && !wasRebuffering);
    return {
      type: 'viewer-report',
      topic: 'viewer',
      stream,
      ts: Math.round(nowMs),
      session: `cmcd-${id}`,
      rendition: RENDITION,
      intervalMs,
      painted: 0,
      dropped,
      decodeErrors: report.state === 'f' ? 1 : 0,
      stalls: begins ? 1 : 0,
      stalledMs,
      bufferMs: Math.min(MAX_LATENCY_MS, report.bufferMs ?? 0),
      latencyKind: 'ingest', // what other players call latency is not measured from our capture times
      latencyMs: report.latencyMs === undefined ? [] : [Math.min(MAX_LATENCY_MS, report.latencyMs)],
      ...(report.startMs === undefined ? {} : { joinMs: Math.min(MAX_LATENCY_MS, report.startMs) }),
    };
  }

  private hash(text: string): string {
    return createHmac('sha256', this.salt).update(text).digest('hex').slice(0, 24);
  }

  /** Sessions that are remembered. */
  get size(): number {
    return this.sessions.size;
  }

  private droppedSince(session: Session, { droppedFrames }: CmcdReport, intervalMs: number): number {
    if (droppedFrames === undefined) {
      return 0;
    }
    const dropped = Math.max(0, Math.round(droppedFrames) - session.dropped);
    session.dropped = Math.max(session.dropped, Math.round(droppedFrames));
    return Math.min(dropped, Math.ceil((intervalMs / 1000) * MAX_DROPPED_PER_SECOND));
  }

  private sessionOf(id: string, owner: string, nowMs: number): Session {
    const known = this.sessions.get(id);
    if (known !== undefined) {
      this.sessions.delete(id);
      this.sessions.set(id, known);
      return known;
    }
    const ofAddress = this.perOwner.get(owner) ?? 0;
    if (ofAddress >= MAX_PER_ADDRESS) {
      throw new ProtocolError('limit', `At most ${MAX_PER_ADDRESS} sessions per address.`);
    }
    const session: Session = { owner, lastMs: nowMs, isRebuffering: false, dropped: 0 };
    this.sessions.set(id, session);
    this.perOwner.set(owner, ofAddress + 1);
    if (this.sessions.size > MAX_SESSIONS) {
      const [oldest] = this.sessions.entries();
      this.forget(oldest?.[0] ?? '', oldest?.[1] ?? session);
    }
    return session;
  }

  private leaveAtEnd(id: string, session: Session, { state }: CmcdReport): void {
    if (state === 'e' || state === 'q' || state === 'f') {
      this.forget(id, session);
    }
  }

  private forget(id: string, session: Session): void {
    if (this.sessions.delete(id)) {
      const left = (this.perOwner.get(session.owner) ?? 1) - 1;
      if (left > 0) {
        this.perOwner.set(session.owner, left);
      } else {
        this.perOwner.delete(session.owner);
      }
    }
  }
}
