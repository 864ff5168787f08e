// What the encoder says a decoder shows is what Chromium's VideoDecoder shows: cases of the closed loop, one after the other in one page,
// by turns as Annex B and length-prefixed with a decoder configuration record.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { splitAnnexB } from '../../shared/bitstream/annex-b.ts';
import { launchBrowser, openPage, type WatchedPage } from '../support/browser.ts';
import { type EncodedClip, encodeClip } from '../support/encode-clip.ts';
import { describeCase, encoderCase } from '../support/encoder-cases.ts';
import { describeWith } from '../support/requirements.ts';

/** Of the 120 default cases of the closed loop, every fifth: among them two of the big ones. */
const cases = Array.from({ length: 24 }, (_, i) => encoderCase(5 * (i + 1)));
/** A page of this address is made here: a secure context, as WebCodecs asks. */
const PAGE = 'https://codecs.test/';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What the page needs to decode a stream. */
type PageOrder = {
  readonly codec: string;
  readonly description: string | null;
  readonly chunks: readonly { readonly type: 'key' | 'delta'; readonly timestamp: number; readonly data: string }[];
};

function orderOf({ chunks, metadata }: EncodedClip): PageOrder {
  const { description } = metadata[0];
  const first = chunks[0].data;
  // profile_idc, constraint flags, level_idc: after the version in the record, after the header of the SPS
  const at = description === undefined ? splitAnnexB(first)[0].start + 1 : 1;
  return {
    codec: `avc1.${Buffer.from((description ?? first).subarray(at, at + 3)).toString('hex')}`,
    description: description === undefined ? null : base64(description),
    chunks: chunks.map(({ type, timestamp, data }) => ({ type, timestamp, data: base64(data) })),
  };
}

/** Runs in the page: SHA-256 of each picture's I420 samples, or the decoder's complaint. */
async function decodeInPage(order: PageOrder): Promise<{ digests: string[]; error: string | null }> {
  const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const hexOf = (bytes: ArrayBuffer): string =>
    [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const digests: Promise<string>[] = [];
  let error: string | null = null;
  const digest = async (frame: VideoFrame): Promise<string> => {
    if (frame.format !== 'I420') {
      throw new Error(`A frame has the format ${frame.format}.`);
    }
    const samples = new Uint8Array(frame.allocationSize());
    await frame.copyTo(samples);
    frame.close();
    return hexOf(await crypto.subtle.digest('SHA-256', samples));
  };
  const decoder = new VideoDecoder({
    output: (frame) => digests.push(digest(frame)),
    error: ({ message }) => {
      error = message;
    },
  });
  try {
    decoder.configure({
      codec: order.codec,
      optimizeForLatency: true,
      ...(order.description === null ? {} : { description: bytesOf(order.description) }),
    });
    for (const { type, timestamp, data } of order.chunks) {
      decoder.decode(new EncodedVideoChunk({ type, timestamp, data: bytesOf(data) }));
    }
    await decoder.flush();
    decoder.close();
  } catch (failure) {
    error ??= String(failure);
  }
  return { digests: await Promise.all(digests), error };
}

describeWith(['chromium'], 'encoder against WebCodecs', () => {
  let browser: Browser;
  let watched: WatchedPage;

  beforeAll(async () => {
    browser = await launchBrowser();
    watched = await openPage(browser);
    await watched.page.route(PAGE, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
    await watched.page.goto(PAGE);
  }, 60_000);

  afterAll(() => browser.close());

  for (const [i, one] of cases.entries()) {
    const format = i % 2 === 0 ? 'annexb' : 'avc';
    test(`shows the reconstruction, ${format}, case ${describeCase(one)}`, async () => {
      const clip = encodeClip({ ...one.config, format }, one.frameAt, one.frames, one.optionsAt);
      const { digests, error } = await watched.page.evaluate(decodeInPage, orderOf(clip));
      expect(error).toBeNull();
      expect(digests).toEqual(clip.reconstructions.map(sha256));
    });
  }

  test('the page has nothing to complain about', () => {
    expect(watched.problems).toEqual([]);
  });
});
