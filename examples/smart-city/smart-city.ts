// A small city: two street cameras, each with weather, traffic and energy sensors. The page shows the video with the window results of the
// very moments that the video shows; a lamp goes silent now and then, and health says so.
// Run beside scripts/start: npx tsx examples/smart-city/smart-city.ts [http://127.0.0.1:8080] [--key KEY] [--port 8090] [--seconds N]

import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startCamera } from './camera.ts';
import { startCityServer } from './city-server.ts';
import { startSensors } from './sensors.ts';
import { Street } from './street.ts';

/** The lamp works for 40 s, which is learned, and is then silent for 30 s. */
const OUTAGE = { everySeconds: 120, fromSecond: 40, forSeconds: 30 } as const;
const WATCH_EVERY_MS = 1000;

export const STREETS = [new Street('city-harbour', 0, OUTAGE), new Street('city-market', 2, OUTAGE)] as const;

type Issue = { readonly type: string; readonly subject?: string; readonly advice: string };

/** Tells every issue of the city's streams as it opens and closes. */
function watchHealth(url: string, streets: readonly Street[], tell: (line: string) => void): () => void {
  const open = new Set<string>();
  const look = async (stream: string): Promise<void> => {
    const response = await fetch(new URL(`/api/v1/streams/${stream}/health`, url));
    if (!response.ok) {
      return; // no window yet
    }
    const { status, issues } = (await response.json()) as { status: string; issues: Issue[] };
    const now = new Map(issues.map((issue) => [`${stream} ${issue.type} ${issue.subject ?? ''}`.trim(), issue.advice]));
    for (const [name, advice] of now) {
      if (!open.has(name)) {
        open.add(name);
        tell(`ALERT ${name}: ${advice}`);
      }
    }
    for (const name of open) {
      if (name.startsWith(`${stream} `) && !now.has(name) && status !== 'unknown') {
        open.delete(name);
        tell(`over  ${name}`);
      }
    }
  };
  const timer = setInterval(() => {
    void Promise.all(streets.map(({ stream }) => look(stream))).catch(() => undefined); // the server is away
  }, WATCH_EVERY_MS);
  return () => {
    clearInterval(timer);
  };
}

/** Starts cameras, sensors and the page; resolves with the page's address and how to stop it all. */
export async function startCity(options: {
  readonly url: string;
  readonly key: string;
  readonly port: number;
  readonly tell: (line: string) => void;
  /** Default: STREETS. */
  readonly streets?: readonly Street[];
}): Promise<{ readonly page: string; stop(): Promise<void> }> {
  const { url, key, port, tell, streets = STREETS } = options;
  const cameras = await Promise.all(streets.map((street) => startCamera(url, key, street)));
  const sensors = streets.map((street) => startSensors(url, key, street));
  const server = await startCityServer(url, port);
  const stopWatching = watchHealth(url, streets, tell);
  return {
    page: server.url,
    stop: async () => {
      stopWatching();
      sensors.forEach((stop) => {
        stop();
      });
      await Promise.all(cameras.map((stop) => stop()));
      await server.close();
    },
  };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { key: { type: 'string' }, port: { type: 'string' }, seconds: { type: 'string' } },
  });
  const url = positionals[0] ?? 'http://127.0.0.1:8080';
  const key = values.key ?? (await readFile('data/publish-key', 'utf8')).trim();
  const city = await startCity({
    url,
    key,
    port: Number(values.port ?? 8090),
    tell: (line) => process.stdout.write(`${line}\n`),
  });
  process.stdout.write(`The city: ${city.page}\n`);
  const stop = (): void => {
    void city.stop().then(() => process.exit(0));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  if (values.seconds !== undefined) {
    setTimeout(stop, Number(values.seconds) * 1000);
  }
}

if (process.argv[1]?.endsWith('smart-city.ts')) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
