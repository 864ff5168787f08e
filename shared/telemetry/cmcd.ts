// Event reports of other players in CMCD version 2 (CTA-5004, event mode): a body of lines, each a dictionary of structured fields
// (RFC 8941): `br=(3000;v),cid="demo",e=ps,ltc=2100,sid="6e2f",sta=p,ts=1764300000000,v=2`. Reads the keys that health uses and skips
// the others. Called by server/http/routes/cmcd.ts.

import { ProtocolError } from '../errors.ts';

/** What one report says; absent where it does not. */
export type CmcdReport = {
  /** Content: here the stream's id. */
  readonly cid?: string | undefined;
  readonly sid: string;
  /** What happened: `ps` play state, `t` time interval, `e` error, ... */
  readonly event: string;
  /** Play state: `s` starting, `p` playing, `k` seeking, `r` rebuffering, `a` paused, `w` waiting, `e` ended, `f` fatal, `q` quit. */
  readonly state?: string | undefined;
  /** Buffer ahead, live latency, media start delay, ms. */
  readonly bufferMs?: number | undefined;
  readonly latencyMs?: number | undefined;
  readonly startMs?: number | undefined;
  /** Time of buffer starvation since the last report, ms, and that there was some. */
  readonly starvedMs?: number | undefined;
  readonly isStarved: boolean;
  /** Pictures dropped since the session began. */
  readonly droppedFrames?: number | undefined;
};

type Value = string | number | boolean;

const VERSION = 2;
const MAX_LINE = 4096;
const MAX_MEMBERS = 64;
const MAX_ID = 128;
const KEY = /^[a-z*][a-z0-9_.*-]*/;
const NUMBER = /^-?\d{1,15}(\.\d{1,3})?/;
const TOKEN = /^[A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*/;
const STRING = /^"((?:[^"\\]|\\["\\])*)"/;

/** The reports of a body. Throws ProtocolError: `malformed` (naming the line), `limit`. */
export function parseCmcdReports(text: string, maxReports: number): CmcdReport[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length > maxReports) {
    throw new ProtocolError('limit', `At most ${maxReports} reports at a time.`);
  }
  return lines.map((line, i) => reportOf(line.trim(), i + 1));
}

function reportOf(line: string, number: number): CmcdReport {
  const members = line.length > MAX_LINE ? null : readDictionary(line);
  if (members === null) {
    throw new ProtocolError('malformed', `Line ${number} is no dictionary of structured fields.`);
  }
  const text = (key: string): string | undefined => {
    const value = members.get(key);
    return typeof value === 'string' && value.length <= MAX_ID ? value : undefined;
  };
  const amount = (key: string): number | undefined => {
    const value = members.get(key);
    return typeof value === 'number' && value >= 0 ? value : undefined;
  };
  const [sid, event] = [text('sid'), text('e')];
  if (members.get('v') !== VERSION || sid === undefined || event === undefined) {
    throw new ProtocolError(
      'malformed',
      `Line ${number} is no event report of CMCD version 2: it needs v=2, sid and e.`,
    );
  }
  return {
    cid: text('cid'),
    sid,
    event,
    state: text('sta'),
    bufferMs: amount('bl'),
    latencyMs: amount('ltc'),
    startMs: amount('msd'),
    starvedMs: amount('bsd'),
    isStarved: members.get('bs') === true,
    droppedFrames: amount('df'),
  };
}

/** RFC 8941, 3.2: of an inner list its first item, parameters left out. Null: breaks the syntax. */
function readDictionary(line: string): Map<string, Value> | null {
  const members = new Map<string, Value>();
  const cursor = new Cursor(line);
  do {
    cursor.skip(/^[ \t]*/);
    const key = cursor.take(KEY);
    if (key === null || members.size >= MAX_MEMBERS) {
      return null;
    }
    const value = cursor.take(/^=/) === null ? true : readItemOrList(cursor);
    if (value === null || !skipParameters(cursor)) {
      return null;
    }
    members.set(key, value);
    cursor.skip(/^[ \t]*/);
  } while (cursor.take(/^,/) !== null);
  return cursor.isAtEnd ? members : null;
}

function readItemOrList(cursor: Cursor): Value | null {
  if (cursor.take(/^\(/) === null) {
    return readItem(cursor);
  }
  let first: Value | null = null;
  for (;;) {
    cursor.skip(/^ */);
    if (cursor.take(/^\)/) !== null) {
      return first ?? '';
    }
    const item = readItem(cursor);
    if (item === null || !skipParameters(cursor)) {
      return null;
    }
    first ??= item;
  }
}

function readItem(cursor: Cursor): Value | null {
  const quoted = cursor.take(STRING);
  if (quoted !== null) {
    return quoted.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
  }
  const number = cursor.take(NUMBER);
  if (number !== null) {
    return Number(number);
  }
  const flag = cursor.take(/^\?[01]/);
  return flag === null ? cursor.take(TOKEN) : flag === '?1';
}

function skipParameters(cursor: Cursor): boolean {
  while (cursor.take(/^;/) !== null) {
    cursor.skip(/^ */);
    if (cursor.take(KEY) === null || (cursor.take(/^=/) !== null && readItem(cursor) === null)) {
      return false;
    }
  }
  return true;
}

class Cursor {
  private rest: string;

  constructor(text: string) {
    this.rest = text;
  }

  get isAtEnd(): boolean {
    return this.rest === '';
  }

  /** What the pattern matches here; null where it does not. */
  take(pattern: RegExp): string | null {
    const found = pattern.exec(this.rest);
    if (found === null) {
      return null;
    }
    this.rest = this.rest.slice(found[0].length);
    return found[0];
  }

  skip(pattern: RegExp): void {
    this.take(pattern);
  }
}
