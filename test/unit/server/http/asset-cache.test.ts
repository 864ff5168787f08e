import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { acceptedCoding, AssetCache } from '../../../../server/http/asset-cache.ts';

const SCRIPT = 'export const words = "over and over";\n'.repeat(200);
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tessera-assets-'));
  writeFileSync(join(folder, 'page-1.js'), SCRIPT);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('the best coding that is allowed is chosen, and none that is refused', () => {
  expect(acceptedCoding('gzip, deflate, br, zstd')).toBe('br');
  expect(acceptedCoding('GZIP;q=0.5, br;q=0')).toBe('gzip');
  expect(acceptedCoding('gzip; q=0.000, deflate')).toBe('identity');
  expect(acceptedCoding('brotli')).toBe('identity');
  expect(acceptedCoding(undefined)).toBe('identity');
});

test('a file comes in the coding that was asked for, and smaller', async () => {
  const assets = new AssetCache(folder);
  const [brotli, gzip, plain] = await Promise.all([
    assets.get('page-1.js', 'br'),
    assets.get('page-1.js', 'gzip'),
    assets.get('page-1.js', 'identity'),
  ]);
  expect(brotliDecompressSync(brotli?.content ?? '').toString()).toBe(SCRIPT);
  expect(gunzipSync(gzip?.content ?? '').toString()).toBe(SCRIPT);
  expect(plain?.content.toString()).toBe(SCRIPT);
  expect(brotli?.content.length).toBeLessThan(SCRIPT.length / 10);
  expect(plain).toMatchObject({ type: 'text/javascript; charset=utf-8', coding: 'identity' });
});

test('a picture is not compressed again', async () => {
  writeFileSync(join(folder, 'mark.png'), 'dense');
  expect(await new AssetCache(folder).get('mark.png', 'br')).toMatchObject({ type: 'image/png', coding: 'identity' });
});

test('a file is read once', async () => {
  const assets = new AssetCache(folder);
  const first = await assets.get('page-1.js', 'br');
  rmSync(join(folder, 'page-1.js'));
  expect(await assets.get('page-1.js', 'br')).toBe(first);
});

test('a newer build is found, and the older one forgotten', async () => {
  const assets = new AssetCache(folder);
  await assets.get('page-1.js', 'identity');
  rmSync(join(folder, 'page-1.js'));
  writeFileSync(join(folder, 'page-2.js'), 'new');
  expect((await assets.get('page-2.js', 'identity'))?.content.toString()).toBe('new');
  expect(await assets.get('page-1.js', 'identity')).toBeNull();
});

test('nothing leads out of the folder, to other types or to what cannot be read', async () => {
  mkdirSync(join(folder, 'folder.js'));
  writeFileSync(join(folder, 'secret.txt'), 'x');
  const assets = new AssetCache(join(folder));
  for (const name of ['../page-1.js', `${folder}/page-1.js`, 'secret.txt', 'folder.js', 'none.js', '']) {
    expect(await assets.get(name, 'br')).toBeNull();
  }
  expect(await new AssetCache(join(folder, 'nowhere')).get('page-1.js', 'br')).toBeNull();
});
