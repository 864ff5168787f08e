// The registry behind /metrics. One per server, so that several can live in one process; each room declares its own metrics on it.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Declares metrics under the prefix `tessera_`; declaring a name twice gives the same metric. */
export type Metrics = {
  readonly registry: Registry;
  counter<Label extends string = never>(name: string, help: string, labels?: readonly Label[]): Counter<Label>;
  gauge<Label extends string = never>(name: string, help: string, labels?: readonly Label[]): Gauge<Label>;
  /** A gauge that reads its value when somebody asks for /metrics. */
  observe(name: string, help: string, read: () => number): void;
  histogram(name: string, help: string, buckets: readonly number[]): Histogram;
};

/** A new, empty registry. `withProcess`: also memory, CPU, handles and event loop delay of this process. */
export function createMetrics(options: { readonly withProcess?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.withProcess === true) {
    collectDefaultMetrics({ register: registry, prefix: 'tessera_' });
  }
  const known = (name: string): unknown => registry.getSingleMetric(name);
  return {
    registry,
    counter: <Label extends string>(name: string, help: string, labels: readonly Label[] = []) =>
      (known(`tessera_${name}`) as Counter<Label> | undefined) ??
      new Counter({ name: `tessera_${name}`, help, labelNames: labels, registers: [registry] }),
    gauge: <Label extends string>(name: string, help: string, labels: readonly Label[] = []) =>
      (known(`tessera_${name}`) as Gauge<Label> | undefined) ??
      new Gauge({ name: `tessera_${name}`, help, labelNames: labels, registers: [registry] }),
    observe: (name, help, read) => {
      new Gauge({
        name: `tessera_${name}`,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    },
    histogram: (name, help, buckets) =>
      (known(`tessera_${name}`) as Histogram | undefined) ??
      new Histogram({ name: `tessera_${name}`, help, buckets: [...buckets], registers: [registry] }),
  };
}
