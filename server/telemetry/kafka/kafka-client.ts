// The kafkajs client as this project uses it: LZ4 by lz4-napi, short retries (ours are longer and elsewhere), logs through our logger.

import type { Socket } from 'node:net';
import kafkajs, { type Kafka, type KafkaConfig } from 'kafkajs';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import type { Config } from '../../../shared/config/config-schema.ts';
import type { Logger } from '../../platform/logger.ts';

/** The section telemetry.kafka of the configuration. */
export type KafkaSettings = Config['telemetry']['kafka'];

/** With kafkajs' defaults a dead broker takes 19 s to reject one send. */
const CONNECT_MS = 3000;
const REQUEST_MS = 5000;

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({
  compress: (encoder: { buffer: Buffer }) => Promise.resolve(compressFrameSync(encoder.buffer)),
  decompress: (buffer: Buffer) => Promise.resolve(decompressFrameSync(buffer)),
});

let isGuarded = false;

/**
 * kafkajs 2.2.4 leaves rejections of its own background work unhandled while a broker is away, which would end the process. Those are
 * logged; anybody else's stays fatal.
 */
function guardAgainstStrayRejections(logger: Logger): void {
  if (isGuarded) {
    return;
  }
  isGuarded = true;
  process.on('unhandledRejection', (reason) => {
    if (reason instanceof Error && reason.name.startsWith('KafkaJS')) {
      logger.warn({ error: reason.message }, 'kafkajs failed in the background');
      return;
    }
    throw reason;
  });
}

/** A client of the configured brokers. */
export function createKafkaClient(settings: KafkaSettings, logger: Logger, connect?: () => Socket): Kafka {
  guardAgainstStrayRejections(logger);
  const config: KafkaConfig = {
    clientId: 'tessera',
    brokers: [...settings.brokers],
    ssl: settings.ssl,
    connectionTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 2000 },
    logLevel: kafkajs.logLevel.WARN,
    logCreator:
      () =>
      ({ log: { message, ...details } }) => {
        // Brokers that come and go are normal here: whoever calls decides what is worth a warning.
        logger.debug({ kafka: { error: (details as { error?: unknown }).error } }, message);
      },
  };
  const { sasl } = settings;
  return new kafkajs.Kafka({
    ...config,
    ...(sasl === undefined ? {} : { sasl: sasl as NonNullable<KafkaConfig['sasl']> }),
    ...(connect === undefined
      ? {}
      : {
          socketFactory: ({ onConnect }: { onConnect: () => void }) => {
            const socket = connect();
            socket.once('connect', onConnect);
            return socket;
          },
        }),
  });
}

/** No broker answers, which may change; whatever else is wrong at the start does not mend itself. */
export class BrokerAwayError extends Error {}

/** Why no connection came about, as one sentence that says what to look at. */
export function connectFailure(error: unknown, { brokers, sasl }: KafkaSettings): Error {
  const at = brokers.join(', ');
  const names: string[] = [];
  let why = String(error);
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    names.push(cause.name);
    why = cause.message;
  }
  if (names.includes('KafkaJSSASLAuthenticationError')) {
    const sentence = `Kafka at ${at} refuses the user ${sasl?.username ?? '(none)'}: check username, password and mechanism of telemetry.kafka.sasl.`;
    return new Error(sentence, { cause: error });
  }
  if (/certificate|self.signed/i.test(why)) {
    const sentence = `The certificate of Kafka at ${at} is not trusted (${why}): NODE_EXTRA_CA_CERTS names a file with its authority.`;
    return new Error(sentence, { cause: error });
  }
  return new BrokerAwayError(`No Kafka broker answers at ${at}: ${why}`, { cause: error });
}
