import { expect, test } from '@jest/globals';
import { playerOptionsOf } from '../../../../client/player/page-options.ts';

const options = (path: string, query = '') => playerOptionsOf(path, new URLSearchParams(query));

test('reads stream, rendition and decoder from the address', () => {
  expect(options('/watch/town_square-1', 'rendition=720p&decoder=wasm')).toEqual({
    stream: 'town_square-1',
    rendition: '720p',
    decoder: 'wasm',
    renderer: 'auto',
    isEmbedded: false,
    inspect: false,
  });
});

test('falls back to auto for choices that do not exist', () => {
  expect(options('/watch/a/', 'rendition=%3Cscript%3E&decoder=magic&renderer=oil')).toEqual({
    stream: 'a',
    rendition: 'auto',
    decoder: 'auto',
    renderer: 'auto',
    isEmbedded: false,
    inspect: false,
  });
});

test('refuses addresses that name no stream', () => {
  expect(options('/watch/')).toBeNull();
  expect(options('/watch/a b')).toBeNull();
  expect(options(`/watch/${'x'.repeat(65)}`)).toBeNull();
});

test('a frame in another page asks for the picture alone', () => {
  expect(options('/watch/a', 'embed=1')?.isEmbedded).toBe(true);
  expect(options('/watch/a', 'embed=0')?.isEmbedded).toBe(false);
});
