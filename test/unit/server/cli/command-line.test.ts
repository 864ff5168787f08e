import { openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { sentenceOf } from '../../../../server/cli/command-line.ts';

function failureOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('It did not fail.');
}

test('says in words what is wrong with a file', () => {
  expect(sentenceOf(failureOf(() => openSync('/nowhere/clip.y4m', 'r')))).toBe(
    '/nowhere/clip.y4m cannot be used: there is no such file or folder.',
  );
  expect(sentenceOf(failureOf(() => openSync(tmpdir(), 'w')))).toBe(`${tmpdir()} cannot be used: it is a folder.`);
  expect(sentenceOf(failureOf(() => readFileSync(tmpdir())))).toBe('A file cannot be used: it is a folder.');
});

test('leaves the sentences of our own errors as they are', () => {
  expect(sentenceOf(new RangeError('Give a number.'))).toBe('Give a number.');
  expect(sentenceOf('plain text')).toBe('plain text');
});
