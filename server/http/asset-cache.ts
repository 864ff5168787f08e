// The built pages' scripts and styles in memory, each also compressed: read and compressed when first asked for, never again. Only names
// of the folder's own listing lead to a file, so that no path of a request ever reaches the file system. Used by routes/pages.ts.

import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};
/** These are compressed already. */
const IS_DENSE: ReadonlySet<string> = new Set(['.png', '.ico', '.woff2']);
/** 8 % more bytes than the best, in a thirtieth of the time: the first visitor waits for it. */
const BROTLI_QUALITY = 6;

/** Content codings of RFC 9110 (8.4.1) that assets come in. */
export type Coding = 'br' | 'gzip' | 'identity';

/** One file as it goes out. */
export type EncodedAsset = { readonly type: string; readonly coding: Coding; readonly content: Buffer };

const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);

/** The best coding that an `Accept-Encoding` header allows; one with q=0 is forbidden. */
export function acceptedCoding(header: string | undefined): Coding {
  const allowed = new Set(
    (header ?? '')
      .toLowerCase()
      .split(',')
      .map((part) => part.trim().split(/\s*;\s*/))
      .filter(([, ...parameters]) => !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)))
      .map(([name]) => name),
  );
  return (['br', 'gzip'] as const).find((coding) => allowed.has(coding)) ?? 'identity';
}

function encode(content: Buffer, coding: Coding): Promise<Buffer> | Buffer {
  switch (coding) {
    case 'br':
      return compressBrotli(content, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
          [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
          [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
        },
      });
    case 'gzip':
      return compressGzip(content);
    case 'identity':
      return content;
  }
}

/** The files of one folder. What is kept is bounded by the folder: three codings of each file that it lists. */
export class AssetCache {
  readonly #folder: string;
  /** By coding and name; a read that failed is not kept. */
  readonly #encoded = new Map<string, Promise<EncodedAsset | null>>();
  #names: ReadonlySet<string> = new Set();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Null where the folder has no such file, or one of a type that pages do not have. */
  async get(name: string, wanted: Coding): Promise<EncodedAsset | null> {
    const type = TYPES[extname(name)];
    if (type === undefined || !(await this.#lists(name))) {
      return null;
    }
    const coding = IS_DENSE.has(extname(name)) ? 'identity' : wanted;
    const key = `${coding} ${name}`;
    const known = this.#encoded.get(key);
    if (known !== undefined) {
      return known;
    }
    const asset = this.#read(name, type, coding).catch(() => {
      this.#encoded.delete(key);
      return null;
    });
    this.#encoded.set(key, asset);
    return asset;
  }

  async #read(name: string, type: string, coding: Coding): Promise<EncodedAsset> {
    const content = await readFile(join(this.#folder, name));
    return { type, coding, content: await encode(content, coding) };
  }

  // A name that is not known may be of a newer build: then everything of the old one is forgotten.
  async #lists(name: string): Promise<boolean> {
    if (!this.#names.has(name)) {
      const names = new Set(await readdir(this.#folder).catch((): string[] => []));
      if (names.has(name)) {
        this.#names = names;
        this.#encoded.clear();
      }
    }
    return this.#names.has(name);
  }
}
