// Structured logs: JSON lines on stderr for machines, one readable line for people. Secrets never reach a record:
// known field names are redacted, and addresses lose their query's secrets.

import pino from 'pino';
import pretty from 'pino-pretty';

/** What rooms log to. */
export type Logger = pino.Logger;

/** Field names whose values are secrets, at the top of a record and one level down. */
const SECRET_FIELDS = [
  'key',
  'publishKey',
  'streamKey',
  'token',
  'operatorToken',
  'password',
  'authorization',
  'cookie',
];

/** Bytes of log that may wait for a slow stderr; beyond that records are dropped. */
const MAX_WAITING_BYTES = 1_048_576;

/** The address without the values of its secret query fields. Text that is no address loses everything after `?`. */
export function redactUrl(url: string): string {
  const [path = '', query] = url.split('?', 2);
  if (query === undefined) {
    return path;
  }
  const fields = query.split('&').map((field) => {
    const name = field.split('=', 1)[0] ?? '';
    return /^(rendition|class|decoder)$/.test(name) ? field : `${name}=(hidden)`;
  });
  return `${path}?${fields.join('&')}`;
}

export type LoggerOptions = {
  readonly level: string;
  /** JSON lines; else one readable line per record. */
  readonly json: boolean;
  /** Where records go; stderr when absent. */
  readonly destination?: pino.DestinationStream;
};

/** The process's logger. Writing never blocks. */
export function createLogger({ level, json, destination }: LoggerOptions): Logger {
  const target = destination ?? pino.destination({ fd: 2, sync: false, maxLength: MAX_WAITING_BYTES });
  return pino(
    {
      level,
      base: null,
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
        censor: '(hidden)',
      },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    json
      ? target
      : pretty({ destination: target as NodeJS.WritableStream, colorize: process.stderr.isTTY, sync: true }),
  );
}

/** A logger that says nothing, for tools and tests. */
export const silentLogger: Logger = pino({ level: 'silent' });
