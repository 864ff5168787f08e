// docs/protocol.md is what a stranger writes a client from: every example on it is read and written by the product's own code, and
// its tables name every message and field that the schemas have.

import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { PEER_ERRORS, ProtocolError } from '../../../../shared/errors.ts';
import { encodeControl, parseControl, type MessageSchemas } from '../../../../shared/protocol/control-message.ts';
import { decodeObjects, encodeObject, type WireObject } from '../../../../shared/protocol/object-header.ts';
import { FROM_PUBLISHER, TO_PUBLISHER } from '../../../../shared/protocol/publisher-messages.ts';
import { trackConfigFromWire, trackConfigSchema } from '../../../../shared/protocol/track-message.ts';
import { TO_VIEWER } from '../../../../shared/protocol/viewer-messages.ts';
import { FROM_VIEWER } from '../../../../shared/protocol/viewer-requests.ts';
import { parseDataLines } from '../../../../shared/telemetry/data-lines.ts';

const page = readFileSync('docs/protocol.md', 'utf8');

/** The code blocks of a language, by the name behind it. */
function blocks(language: string): Map<string, string> {
  const found = page.matchAll(new RegExp(`^\`\`\`${language} ([a-z-]+)\\n([\\s\\S]*?)^\`\`\`$`, 'gm'));
  return new Map([...found].map(([, name = '', text = '']) => [name, text]));
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const hex = blocks('hex');
const json = blocks('json');
const lines = blocks('jsonl');
const TABLES: Readonly<Record<string, MessageSchemas>> = {
  'from-publisher': FROM_PUBLISHER,
  'to-publisher': TO_PUBLISHER,
  'from-viewer': FROM_VIEWER,
  'to-viewer': TO_VIEWER,
};

test('the page has the examples that it promises', () => {
  expect([...hex.keys()]).toEqual(['key-unit', 'coalesced', 'cached', 'malformed', 'data-object']);
  expect([...json.keys()]).toEqual(['key-unit', 'coalesced', 'cached', 'data-object']);
  expect([...lines.keys()].toSorted()).toEqual(Object.keys(TABLES).toSorted());
});

test.each([...json.keys()])('the bytes of example %s say what stands under them, in both directions', (name) => {
  const bytes = bytesOf(hex.get(name) ?? '');
  const told = JSON.parse(json.get(name) ?? '') as unknown[];
  const objects = decodeObjects(bytes);
  expect(objects.map((object) => ({ ...object, payload: hexOf(object.payload) }))).toEqual(told);
  const written = objects.map(({ payload, ...header }: WireObject) => Buffer.from(encodeObject(header, payload)));
  expect(hexOf(Buffer.concat(written))).toBe(hexOf(bytes));
});

test('the data example is the lines of an event', () => {
  const [object] = decodeObjects(bytesOf(hex.get('data-object') ?? ''));
  const [event] = parseDataLines(Buffer.from(object?.payload ?? []).toString(), 's', 1);
  expect(event).toEqual({ type: 'chat', key: 'u', value: 'hi', ts: 17, topic: 'data', stream: 's' });
});

test('every line of the malformed example is malformed, and for a reason of its own', () => {
  const sentences = (hex.get('malformed') ?? '')
    .trim()
    .split('\n')
    .map((line) => {
      try {
        decodeObjects(bytesOf(line));
      } catch (error) {
        return error instanceof ProtocolError && error.code === 'malformed' ? error.message : String(error);
      }
      return 'taken';
    });
  expect(sentences).toHaveLength(7);
  expect(new Set(sentences).size).toBe(7);
  expect(sentences).not.toContain('taken');
});

test.each(Object.entries(TABLES))(
  '%s: each message has an example, which is read back as it was written',
  (name, schemas) => {
    const examples = (lines.get(name) ?? '')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; config?: unknown });
    expect(new Set(examples.map(({ type }) => type))).toEqual(new Set(Object.keys(schemas)));
    for (const example of examples) {
      expect(parseControl(schemas, encodeControl(example))).toEqual(example);
      if (example.config !== undefined) {
        expect(trackConfigFromWire(trackConfigSchema.parse(example.config))).toMatchObject({
          kind: expect.any(String),
        });
      }
    }
  },
);

test('every field of every message and configuration is named on the page', () => {
  const fieldsOf = (schema: z.ZodType): string[] => {
    const { properties = {}, oneOf = [] } = z.toJSONSchema(schema, { io: 'input' }) as {
      properties?: Record<string, unknown>;
      oneOf?: { properties?: Record<string, unknown> }[];
    };
    return [...Object.keys(properties), ...oneOf.flatMap((each) => Object.keys(each.properties ?? {}))];
  };
  const unnamed = [
    ...Object.values(TABLES).flatMap((schemas) => Object.values(schemas).flatMap(fieldsOf)),
    ...fieldsOf(trackConfigSchema),
  ].filter((field) => field !== 'ts' && !new RegExp(`\`${field}\\??\``).test(page));
  expect(unnamed).toEqual([]);
});

test('every close code of the list is on the page', () => {
  for (const [name, { close }] of Object.entries(PEER_ERRORS)) {
    expect(page).toMatch(new RegExp(`\\| ${close} \\| ${name} +\\|`));
  }
});
