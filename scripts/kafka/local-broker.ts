// Apache Kafka on this machine without containers: jars from Maven Central, Java 17, KRaft, one or three nodes. Used by
// scripts/local-kafka, scripts/start --kafka and the integration tests. Jars are fetched once into the cache folder; data folders are
// formatted only when new, so that a restart keeps its records.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { certificateOf, scramArguments, secureListener, type KafkaUser } from './secure-listener.ts';

/** Versions that can be asked for, by the name of their line. */
export const KAFKA_VERSIONS = { '4.1': '4.1.1', '3.9': '3.9.1' } as const;
export type KafkaLine = keyof typeof KAFKA_VERSIONS;

export type LocalKafkaOptions = {
  readonly line: KafkaLine;
  readonly nodes: 1 | 3;
  /** First broker's port; 0 = any free one. */
  readonly port: number;
  readonly dataDir: string;
  /** A second listener on the first node, with TLS and this user. */
  readonly user?: KafkaUser;
  readonly onProgress?: (sentence: string) => void;
};

export type LocalKafka = {
  /** HOST:PORT of every broker, with commas. */
  readonly bootstrap: string;
  readonly version: string;
  /** The listener with TLS and SASL, where a user was given. */
  readonly secure: { readonly bootstrap: string; readonly certificate: string } | null;
  /** Stops one node (0-based): with SIGKILL, or politely. */
  stopNode(node: number, signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Freezes one node: it accepts connections and never answers, until `thawNode`. */
  freezeNode(node: number): void;
  thawNode(node: number): void;
  /** Starts a stopped node again on its data and waits until it answers. */
  startNode(node: number): Promise<void>;
  stop(): Promise<void>;
};

const READY_MS = 90_000;
const MAVEN_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';

/** What each line needs beside the broker itself: its logging, which the published artefact leaves to the user. */
const LOGGING: Readonly<Record<KafkaLine, readonly string[]>> = {
  '4.1': ['org.apache.logging.log4j:log4j-core:2.24.3', 'org.apache.logging.log4j:log4j-slf4j-impl:2.24.3'],
  '3.9': ['org.slf4j:slf4j-reload4j:1.7.36'],
};

function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tessera', 'kafka');
}

function pomOf(version: string, logging: readonly string[]): string {
  const dependencies = [`org.apache.kafka:kafka_2.13:${version}`, ...logging].map((coordinates) => {
    const [group = '', artifact = '', number = ''] = coordinates.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${number}</version></dependency>`;
  });
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>local</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>',
    `<dependencies>${dependencies.join('')}</dependencies></project>`,
  ].join('\n');
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) {
    const why = error?.message ?? `${stdout}\n${stderr}`.trim().split('\n').slice(-5).join(' ');
    throw new Error(`${program} failed: ${why}`);
  }
  return stdout;
}

/** The folder of the jars; fetches them when they are not in the cache. */
function fetchJars(line: KafkaLine, onProgress: (sentence: string) => void): string {
  const version = KAFKA_VERSIONS[line];
  const folder = join(cacheDirectory(), version);
  const lib = join(folder, 'lib');
  const marker = join(folder, 'complete');
  if (!existsSync(marker)) {
    onProgress(`fetching Apache Kafka ${version} from Maven Central`);
    mkdirSync(lib, { recursive: true });
    const pom = join(folder, 'pom.xml');
    writeFileSync(pom, pomOf(version, LOGGING[line]));
    run('mvn', ['-q', '-B', '-f', pom, MAVEN_PLUGIN, '-DincludeScope=runtime', `-DoutputDirectory=${lib}`]);
    writeFileSync(marker, version);
  }
  return lib;
}

/** Free ports, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

type Plan = { readonly port: number; readonly controllerPort: number };
type Secure = ReturnType<typeof secureListener>;

function propertiesOf(plans: readonly Plan[], node: number, logDir: string, secure: Secure | null): string {
  const { port, controllerPort } = plans[node];
  const plain = `PLAINTEXT://127.0.0.1:${port}`;
  const advertised = secure === null ? plain : `${plain},${secure.address}`;
  const protocols = 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT';
  const voters = plans.map((plan, i) => `${i + 1}@127.0.0.1:${plan.controllerPort}`).join(',');
  const copies = plans.length;
  const quorum = copies > 1 ? 2 : 1;
  const properties: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': node + 1,
    'controller.quorum.voters': voters,
    listeners: `${advertised},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': advertised,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': secure === null ? protocols : `${protocols},${secure.protocol}`,
    'log.dirs': logDir,
    'auto.create.topics.enable': false,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': quorum,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': quorum,
    'group.initial.rebalance.delay.ms': 0,
    'log.segment.bytes': 16 * 1024 * 1024,
    'log.cleaner.backoff.ms': 1000,
    'num.network.threads': 2,
    'num.io.threads': 2,
    'controlled.shutdown.enable': copies > 1,
    ...secure?.properties,
  };
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');
}

/** Log configuration of both logging generations: warnings only. */
function writeLogging(folder: string): readonly string[] {
  const four = join(folder, 'log4j2.properties');
  writeFileSync(
    four,
    [
      'rootLogger.level=warn',
      'rootLogger.appenderRef.c.ref=C',
      'appender.c.type=Console',
      'appender.c.name=C',
      'appender.c.layout.type=PatternLayout',
      'appender.c.layout.pattern=[%d] %p %m (%c)%n',
    ].join('\n'),
  );
  const three = join(folder, 'log4j.properties');
  writeFileSync(
    three,
    [
      'log4j.rootLogger=WARN, stdout',
      'log4j.appender.stdout=org.apache.log4j.ConsoleAppender',
      'log4j.appender.stdout.layout=org.apache.log4j.PatternLayout',
      'log4j.appender.stdout.layout.ConversionPattern=[%d] %p %m (%c)%n',
    ].join('\n'),
  );
  return [`-Dlog4j2.configurationFile=${four}`, `-Dlog4j.configuration=file:${three}`];
}

async function isReady(port: number): Promise<boolean> {
  const kafka = new kafkajs.Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 2000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    return brokers.some((broker) => broker.port === port);
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

class Node {
  readonly port: number;
  private readonly args: readonly string[];
  private readonly logPath: string;
  private child: ChildProcess | null = null;

  constructor(port: number, args: readonly string[], logPath: string) {
    this.port = port;
    this.args = args;
    this.logPath = logPath;
  }

  launch(): void {
    const out = openSync(this.logPath, 'a', 0o600);
    this.child = spawn('java', this.args, { stdio: ['ignore', out, out] });
  }

  async ready(): Promise<void> {
    const deadline = Date.now() + READY_MS;
    while (!(await isReady(this.port))) {
      if (this.child === null || this.child.exitCode !== null || Date.now() > deadline) {
        const tail = readFileSync(this.logPath, 'utf8').trim().split('\n').slice(-4).join(' | ');
        throw new Error(`Kafka did not start on port ${this.port}: ${tail}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child?.kill(signal);
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (child === null || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await gone;
    clearTimeout(timer);
    this.child = null;
  }
}

/** Starts the nodes and resolves when they answer. */
export async function startLocalKafka(options: LocalKafkaOptions): Promise<LocalKafka> {
  const { line, nodes: count, dataDir, onProgress = () => undefined } = options;
  const lib = fetchJars(line, onProgress);
  const classPath = ['-cp', `${lib}/*`];
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const ports = await freePorts(count * 2 + 1);
  const securePort = ports[count * 2];
  const { user } = options;
  const plans: Plan[] = Array.from({ length: count }, (_, i) => ({
    port: options.port === 0 ? ports[2 * i] : options.port + i,
    controllerPort: ports[2 * i + 1],
  }));
  const logging = writeLogging(dataDir);
  const idPath = join(dataDir, 'cluster-id');
  if (!existsSync(idPath)) {
    const id = run('java', [...logging, ...classPath, 'kafka.tools.StorageTool', 'random-uuid'])
      .trim()
      .split('\n')
      .slice(-1)
      .join('');
    writeFileSync(idPath, id);
  }
  const clusterId = readFileSync(idPath, 'utf8').trim();
  const certificate = user === undefined ? null : certificateOf(dataDir);
  const nodes = plans.map(({ port }, i) => {
    const secure = user !== undefined && i === 0 ? secureListener(securePort, dataDir, user) : null;
    const folder = join(dataDir, `node-${i + 1}`);
    const properties = join(dataDir, `node-${i + 1}.properties`);
    writeFileSync(properties, propertiesOf(plans, i, folder, secure));
    if (!existsSync(join(folder, 'meta.properties'))) {
      onProgress(`formatting ${folder}`);
      const tool = [...logging, ...classPath, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties];
      run('java', [...tool, ...(user === undefined ? [] : scramArguments(user))]);
    }
    const args = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', ...logging, ...classPath, 'kafka.Kafka', properties];
    return new Node(port, args, join(dataDir, `node-${i + 1}.log`));
  });
  onProgress(`starting Apache Kafka ${KAFKA_VERSIONS[line]}, ${count} ${count === 1 ? 'node' : 'nodes'}`);
  nodes.forEach((node) => node.launch());
  try {
    await Promise.all(nodes.map((node) => node.ready()));
  } catch (error) {
    await Promise.all(nodes.map((node) => node.stop('SIGKILL')));
    throw error;
  }
  return {
    bootstrap: plans.map(({ port }) => `127.0.0.1:${port}`).join(','),
    version: KAFKA_VERSIONS[line],
    secure: certificate === null ? null : { bootstrap: `127.0.0.1:${securePort}`, certificate },
    stopNode: (node, signal = 'SIGTERM') => nodes[node].stop(signal),
    freezeNode: (node) => nodes[node].signal('SIGSTOP'),
    thawNode: (node) => nodes[node].signal('SIGCONT'),
    startNode: async (node) => {
      nodes[node].launch();
      await nodes[node].ready();
    },
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop('SIGTERM')));
    },
  };
}
