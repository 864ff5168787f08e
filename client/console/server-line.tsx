// The server itself, under the streams: since when it runs, its telemetry log, and what that log has to carry.

import { getCapacity, getServer, type Capacity } from '../ui/api.ts';
import { formatDuration } from '../ui/format.ts';
import { usePolling } from '../ui/use-polling.ts';
import './server-line.css';

const RENEW_MS = 5000;

function byteRate(bytesPerSecond: number): string {
  return bytesPerSecond >= 1e6
    ? `${(bytesPerSecond / 1e6).toFixed(2)} MB/s`
    : `${(bytesPerSecond / 1000).toFixed(1)} kB/s`;
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function CapacityFacts({ capacity }: { readonly capacity: Capacity }) {
  const { producer, consumer, partitions, rule } = capacity;
  const product = `${partitions.count} = ${partitions.replicas} × ${partitions.partitionFactor}`;
  return (
    <>
      <Fact name="Producer write rate" value={byteRate(producer.writeRate)} />
      <Fact name="Consumer read rate" value={byteRate(consumer.readRate)} />
      <Fact name="Partitions = replicas × factor" value={product} />
      <Fact name="Partitions by rate" value={String(rule.partitions)} />
    </>
  );
}

/** One line of facts; empty until the server has answered. */
export function ServerLine({ token }: { readonly token: string | null }) {
  const { answer } = usePolling(() => Promise.all([getServer(token), getCapacity(token)]), RENEW_MS, [token]);
  const [server, capacity] = answer ?? [null, null];
  if (server === null) {
    return null;
  }
  return (
    <section class="server-line" aria-label="Server">
      <dl>
        <Fact name="Running for" value={formatDuration(Date.now() - server.startedAt)} />
        <Fact name="Telemetry log" value={server.telemetry} />
        <Fact name="Node" value={server.node} />
        {capacity !== null && <CapacityFacts capacity={capacity} />}
      </dl>
      {capacity !== null && <p class={capacity.agrees ? '' : 'server-warn'}>{capacity.advice}</p>}
    </section>
  );
}
