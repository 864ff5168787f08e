// Events of any source as lines of JSON: `{"type","key","value","ts"}`. What POST /api/v1/events/STREAM and data objects of
// `tessera.1` carry.

import { ProtocolError } from '../errors.ts';
import { dataEventSchema, type DataEvent } from './events.ts';

const lineSchema = dataEventSchema.omit({ topic: true, stream: true });

/** The events of a text, one per line that is not blank. Throws ProtocolError: `malformed` (naming the line), `limit`. */
export function parseDataLines(text: string, stream: string, maxLines: number): DataEvent[] {
  const events: DataEvent[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') {
      continue;
    }
    if (events.length >= maxLines) {
      throw new ProtocolError('limit', `At most ${maxLines} events at a time.`);
    }
    events.push({ ...parseLine(line, index + 1), topic: 'data', stream });
  }
  return events;
}

function parseLine(line: string, number: number): Omit<DataEvent, 'topic' | 'stream'> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ProtocolError('malformed', `Line ${number} is not JSON.`);
  }
  const result = lineSchema.safeParse(value);
  if (!result.success) {
    const field = result.error.issues.at(0)?.path.join('.') ?? '';
    throw new ProtocolError(
      'malformed',
      `Line ${number} is no event: it needs type, key, value and ts (see ${field}).`,
    );
  }
  return result.data;
}
