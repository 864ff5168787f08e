// A telemetry log whose holder can be killed in the middle of its work.

import { silentLogger } from '../../server/platform/logger.ts';
import { MemoryTelemetryLog } from '../../server/telemetry/memory-telemetry-log.ts';
import type { LogRecord, Subscriber, Subscription } from '../../server/telemetry/telemetry-log.ts';
import type { Topic } from '../../shared/telemetry/topics.ts';
import type { FakeClock } from './fake-clock.ts';

/** Lets everything that is ready run. */
export const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets the process that holds it be killed: from then on nothing that it does reaches the log. */
export class KillableLog extends MemoryTelemetryLog {
  private readonly base: MemoryTelemetryLog;
  private isDead = false;
  private appendsLeft = Infinity;
  private subscription: Subscription | null = null;

  constructor(base: MemoryTelemetryLog, clock: FakeClock) {
    super({ clock, logger: silentLogger });
    this.base = base;
  }

  /** SIGKILL after so many more appends. */
  killAfter(appends: number): void {
    this.appendsLeft = appends;
  }

  async bury(): Promise<void> {
    this.isDead = true;
    await this.subscription?.close();
  }

  get hasDied(): boolean {
    return this.isDead;
  }

  override append(topic: Topic, records: readonly LogRecord[]): Promise<void> {
    if (records.length > 0 && this.appendsLeft-- <= 0) {
      this.isDead = true;
    }
    return this.isDead ? new Promise(() => undefined) : this.base.append(topic, records);
  }

  override read: MemoryTelemetryLog['read'] = (...args) => this.base.read(...args);
  override bounds: MemoryTelemetryLog['bounds'] = (...args) => this.base.bounds(...args);
  override commit: MemoryTelemetryLog['commit'] = (...args) =>
    this.isDead ? Promise.resolve() : this.base.commit(...args);
  override committed: MemoryTelemetryLog['committed'] = (...args) => this.base.committed(...args);

  override async subscribe(subscriber: Subscriber): Promise<Subscription> {
    this.subscription = await this.base.subscribe({
      ...subscriber,
      onRevoked: (partitions) => (this.isDead ? Promise.resolve() : subscriber.onRevoked(partitions)),
      onBatch: async (at, records, context) => {
        const work = subscriber.onBatch(at, records, context);
        while (!this.isDead && !(await Promise.race([work.then(() => true), pause().then(() => false)]))) {
          // at work, or dead in the middle of it
        }
      },
    });
    return this.subscription;
  }
}
