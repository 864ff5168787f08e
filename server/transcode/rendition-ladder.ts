// Which renditions a source can have: names, sizes, frame rates and bitrates. Pure; called by transcoder.ts (offer) and tests.

import type { VideoTrackConfig } from '../../shared/media/access-unit.ts';
import { RAW_CODEC } from '../../shared/protocol/track-message.ts';
import type { RenditionDescription } from '../streams/roles.ts';

/** One line of `transcode.ladder`. */
export type LadderEntry = RenditionDescription;

type Size = { readonly width: number; readonly height: number };

/** Lines (length of the shorter side) of the automatic ladder. */
const RUNGS = [1080, 720, 480, 360] as const;
/** A rung must be this much smaller than the source to be worth its CPU. */
const LARGEST_SHARE_OF_SOURCE = 0.92;
const DEFAULT_FPS = 30;
const MAX_FPS = 60;
/** Bitrate of 1280x720 at 30 frames per second; others follow by (pixels x frames) ^ 0.75, as detail per sample falls with size. */
const KBPS_720P30 = 2500;
const BITRATE_EXPONENT = 0.75;

/**
 * The renditions of a source, best first. Without `configured`: one at the source's own size (not for raw pictures: their `source`
 * is made by our encoder already), then 1080p 720p 480p 360p as far as they are smaller. Sizes keep the source's shape and are even.
 */
export function ladderFor(source: VideoTrackConfig, configured?: readonly LadderEntry[]): RenditionDescription[] {
  if (configured !== undefined) {
    return configured.filter((entry) => fitsBelow(entry, source)).map((entry) => fit(entry, source));
  }
  const rungs = RUNGS.filter((lines) => lines <= shortSide(source) * LARGEST_SHARE_OF_SOURCE);
  const below = rungs.map((lines) => describe(`${lines}p`, scaleToShortSide(source, lines), source));
  return source.codec === RAW_CODEC ? below : [describe(`${shortSide(source)}p`, evenSize(source), source), ...below];
}

/** The rendition's size for pictures of `picture`'s size: as described, or fitted into that box when the shape has changed. Never larger than the picture. */
export function sizeForPicture(rendition: Size, picture: Size): Size {
  const shapeChange = (rendition.width * picture.height) / (rendition.height * picture.width);
  const isSameShape = Math.abs(Math.log(shapeChange)) < 0.02;
  if (isSameShape && rendition.width <= picture.width + 1 && rendition.height <= picture.height + 1) {
    return { width: rendition.width, height: rendition.height };
  }
  return fitInto(rendition, picture);
}

function describe(name: string, size: Size, source: VideoTrackConfig): RenditionDescription {
  const fps = Math.min(source.fps ?? DEFAULT_FPS, MAX_FPS);
  const load = (size.width * size.height * fps) / (1280 * 720 * 30);
  const kbps = Math.max(100, Math.round((KBPS_720P30 * load ** BITRATE_EXPONENT) / 50) * 50);
  return { name, width: size.width, height: size.height, fps, kbps };
}

function fit(entry: LadderEntry, source: VideoTrackConfig): RenditionDescription {
  const size = fitInto(entry, source);
  return { ...entry, ...size, fps: Math.min(entry.fps, source.fps ?? entry.fps) };
}

function fitsBelow(entry: Size, source: Size): boolean {
  return entry.width <= source.width + 1 && entry.height <= source.height + 1;
}

/** The largest even size of `picture`'s shape inside `box`, and not larger than `picture`. */
function fitInto(box: Size, picture: Size): Size {
  const scale = Math.min(box.width / picture.width, box.height / picture.height, 1);
  return { width: even(picture.width * scale), height: even(picture.height * scale) };
}

function scaleToShortSide(source: Size, lines: number): Size {
  const scale = lines / shortSide(source);
  return source.height <= source.width
    ? { width: even(source.width * scale), height: lines }
    : { width: lines, height: even(source.height * scale) };
}

function evenSize(size: Size): Size {
  return { width: size.width & ~1 || 2, height: size.height & ~1 || 2 };
}

function even(value: number): number {
  return Math.max(2, Math.round(value / 2) * 2);
}

function shortSide(size: Size): number {
  return Math.min(size.width, size.height);
}
