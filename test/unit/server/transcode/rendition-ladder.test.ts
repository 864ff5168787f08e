import { describe, expect, test } from '@jest/globals';
import { ladderFor, sizeForPicture } from '../../../../server/transcode/rendition-ladder.ts';
import type { VideoTrackConfig } from '../../../../shared/media/access-unit.ts';
import { UNSPECIFIED_COLOUR } from '../../../../shared/media/colour.ts';

const source = (width: number, height: number, extra: Partial<VideoTrackConfig> = {}): VideoTrackConfig => ({
  kind: 'video',
  codec: 'avc1.64001f',
  width,
  height,
  sampleAspect: [1, 1],
  colour: UNSPECIFIED_COLOUR,
  fps: 30,
  ...extra,
});

const shapes = (config: VideoTrackConfig): string[] =>
  ladderFor(config).map(({ name, width, height }) => `${name} ${width}x${height}`);

describe('the automatic ladder', () => {
  test('starts with the size of a publisher-encoded source and goes down from there', () => {
    expect(shapes(source(1920, 1080))).toEqual(['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360']);
    expect(shapes(source(1280, 720))).toEqual(['720p 1280x720', '480p 854x480', '360p 640x360']);
  });

  test('leaves the own size out for raw pictures, whose source is made by our encoder already', () => {
    expect(shapes(source(1281, 721, { codec: 'raw/i420' }))).toEqual(['480p 852x480', '360p 640x360']);
  });

  test('keeps the shape of portrait and wide pictures, with even sides', () => {
    expect(shapes(source(1080, 1920))).toEqual(['1080p 1080x1920', '720p 720x1280', '480p 480x854', '360p 360x640']);
    expect(shapes(source(2560, 1080))).toEqual(['1080p 2560x1080', '720p 1706x720', '480p 1138x480', '360p 854x360']);
  });

  test('leaves out a rung that is nearly the source', () => {
    expect(shapes(source(960, 500))).toEqual(['500p 960x500', '360p 692x360']);
    expect(shapes(source(352, 288))).toEqual(['288p 352x288']);
  });

  test('gives each rung less bitrate than the one above, by pixels and frame rate', () => {
    const [full, half] = [ladderFor(source(1280, 720)), ladderFor(source(1280, 720, { fps: 15 }))];
    expect(full.map(({ kbps }) => kbps)).toEqual([2500, 1350, 900]);
    expect(half[0].kbps).toBeLessThan(full[0].kbps * 0.65);
    expect(half[0].fps).toBe(15);
  });

  test('assumes 30 frames per second when nothing is said and makes no more than 60', () => {
    const { fps, ...unsaid } = source(640, 360);
    expect(fps).toBe(30);
    expect(ladderFor(unsaid)[0].fps).toBe(30);
    expect(ladderFor(source(640, 360, { fps: 120 }))[0].fps).toBe(60);
  });
});

describe('a configured ladder', () => {
  const entries = [
    { name: 'big', width: 1920, height: 1080, fps: 60, kbps: 6000 },
    { name: 'small', width: 640, height: 480, fps: 25, kbps: 700 },
  ];

  test('offers only what is not larger than the source, fitted to its shape', () => {
    expect(ladderFor(source(1280, 720), entries)).toEqual([
      { name: 'small', width: 640, height: 360, fps: 25, kbps: 700 },
    ]);
  });
});

describe('sizeForPicture', () => {
  test('keeps the rendition as described while the picture has its shape', () => {
    expect(sizeForPicture({ width: 854, height: 480 }, { width: 1280, height: 720 })).toEqual({
      width: 854,
      height: 480,
    });
    expect(sizeForPicture({ width: 1281, height: 721 }, { width: 1281, height: 721 })).toEqual({
      width: 1281,
      height: 721,
    });
  });

  test('fits into the same box when the picture turned, and never enlarges', () => {
    expect(sizeForPicture({ width: 640, height: 360 }, { width: 720, height: 1280 })).toEqual({
      width: 202,
      height: 360,
    });
    expect(sizeForPicture({ width: 640, height: 360 }, { width: 320, height: 180 })).toEqual({
      width: 320,
      height: 180,
    });
  });
});
