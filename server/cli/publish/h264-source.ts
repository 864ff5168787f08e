// H.264 elementary streams (Annex B) as a MediaSource. The bytes carry no times: pictures follow each other at the frame rate of the
// VUI or the one given, shown in the order of their PicOrderCnt. The file is read twice: once for that order, once for the pictures.

import { createReadStream } from 'node:fs';
import { AnnexBSplitter } from '../../../shared/bitstream/annex-b.ts';
import { joinLengthPrefixed, writeAvcDecoderConfigurationRecord } from '../../../shared/bitstream/avcc.ts';
import { frameRateOf } from '../../../shared/codec/h264/syntax/sps.ts';
import { classifyAccessUnit } from '../../../shared/containers/flv/access-unit-class.ts';
import { ContainerError } from '../../../shared/errors.ts';
import type { AccessUnit, VideoTrackConfig } from '../../../shared/media/access-unit.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { describeVideo } from '../../ingest/video-description/video-description.ts';
import { PictureCollector } from './h264-pictures.ts';
import type { CodedPicture, ParameterSets } from './h264-pictures.ts';
import type { MediaSource, SourceEvent } from './media-source.ts';

const SECOND = 1_000_000;
const DEFAULT_FPS = 25;

export type H264SourceOptions = {
  /** Frames per second where the stream does not say it. Default 25. */
  readonly fps?: number;
};

export class H264Source implements MediaSource {
  readonly #path: string;
  readonly #options: H264SourceOptions;

  constructor(path: string, options: H264SourceOptions = {}) {
    this.#path = path;
    this.#options = options;
  }

  async *events(): AsyncGenerator<SourceEvent> {
    const places = await this.#displayPlaces();
    const delay = places.reduce((most, place, index) => Math.max(most, index - place), 0);
    let fps = DEFAULT_FPS;
    let index = 0;
    for await (const picture of this.#pictures()) {
      if (picture.newSets !== null) {
        const config = trackConfig(picture.newSets, this.#options.fps);
        fps = config.fps ?? DEFAULT_FPS;
        yield { kind: 'track', name: 'video', config };
      }
      const unit = unitOf(picture, { dts: index, pts: (places[index] ?? index) + delay, fps });
      yield { kind: 'unit', name: 'video', unit };
      index += 1;
    }
  }

  /** For each picture in decoding order, its place in the order of showing. */
  async #displayPlaces(): Promise<number[]> {
    const places: number[] = [];
    let period: number[] = [];
    const closePeriod = (): void => {
      const sorted = period.map((order, at) => ({ order, at })).toSorted((a, b) => a.order - b.order || a.at - b.at);
      const start = places.length;
      sorted.forEach(({ at }, place) => (places[start + at] = start + place));
      period = [];
    };
    for await (const { order, startsPeriod } of this.#pictures()) {
      if (startsPeriod) {
        closePeriod();
      }
      period.push(order);
    }
    closePeriod();
    if (places.length === 0) {
      throw new ContainerError('The file holds no H.264 picture that could be read.', 0);
    }
    return places;
  }

  async *#pictures(): AsyncGenerator<CodedPicture> {
    const collector = new PictureCollector();
    const splitter = new AnnexBSplitter({ onNalUnit: (nal) => collector.push(new Uint8Array(nal)) });
    for await (const chunk of createReadStream(this.#path)) {
      splitter.push(chunk as Buffer);
      yield* collector.take();
    }
    splitter.flush();
    collector.flush();
    yield* collector.take();
  }
}

/** `dts` and `pts` in pictures. */
function unitOf(
  { nals }: CodedPicture,
  { dts, pts, fps }: { readonly dts: number; readonly pts: number; readonly fps: number },
): AccessUnit {
  const data = joinLengthPrefixed(nals);
  const time = (pictures: number): AccessUnit['pts'] => microseconds(Math.round((pictures * SECOND) / fps));
  return {
    priority: classifyAccessUnit('avc', data, { lengthSize: 4, isFlaggedKey: false }),
    pts: time(pts),
    dts: time(dts),
    data,
    arrivalTime: microseconds(0),
  };
}

function trackConfig({ sps, spsNal, ppsNals }: ParameterSets, givenFps: number | undefined): VideoTrackConfig {
  const description = writeAvcDecoderConfigurationRecord({
    AVCProfileIndication: sps.profile_idc,
    profile_compatibility: sps.constraint_set_flags,
    AVCLevelIndication: sps.level_idc,
    lengthSize: 4,
    sequenceParameterSets: [spsNal],
    pictureParameterSets: ppsNals,
    extension: {
      chroma_format: sps.chroma_format_idc,
      bit_depth_luma_minus8: sps.bit_depth_luma_minus8,
      bit_depth_chroma_minus8: sps.bit_depth_chroma_minus8,
      sequenceParameterSetExtensions: [],
    },
  });
  const fps = givenFps ?? frameRateOf(sps) ?? DEFAULT_FPS;
  return { kind: 'video', ...describeVideo('avc', description, {}), description, fps };
}
