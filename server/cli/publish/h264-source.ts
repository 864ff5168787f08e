// H.264 elementary streams (Annex B) as a MediaSource. The bytes carry no times: pictures follow each other at the frame rate of the
// VUI or the one given. Streams whose pictures are shown in another order than decoded are refused: their container knows the times.

import { createReadStream } from 'node:fs';
import { AnnexBSplitter } from '../../../shared/bitstream/annex-b.ts';
import { joinLengthPrefixed, writeAvcDecoderConfigurationRecord } from '../../../shared/bitstream/avcc.ts';
import { NAL_UNIT_TYPE, parseNalUnit } from '../../../shared/codec/h264/syntax/nal-unit.ts';
import { frameRateOf, parseSps } from '../../../shared/codec/h264/syntax/sps.ts';
import type { SequenceParameterSet } from '../../../shared/codec/h264/syntax/sps.ts';
import { classifyAccessUnit } from '../../../shared/containers/flv/access-unit-class.ts';
import { ContainerError, ProtocolError } from '../../../shared/errors.ts';
import type { VideoTrackConfig } from '../../../shared/media/access-unit.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { describeVideo } from '../../ingest/video-description/video-description.ts';
import type { MediaSource, SourceEvent } from './media-source.ts';

const SECOND = 1_000_000;
const DEFAULT_FPS = 25;
const BASELINE_PROFILE = 66;

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
    const assembler = new AccessUnitAssembler(this.#options.fps);
    const splitter = new AnnexBSplitter({ onNalUnit: (nal) => assembler.push(nal.slice()) });
    for await (const chunk of createReadStream(this.#path)) {
      splitter.push(chunk as Buffer);
      yield* assembler.take();
    }
    splitter.flush();
    assembler.flush();
    yield* assembler.take();
    if (assembler.pictures === 0) {
      throw new ContainerError('The file holds no H.264 picture.', 0);
    }
  }
}

/** Groups NAL units into access units (7.4.1.2.3) and gives them times. */
class AccessUnitAssembler {
  readonly #givenFps: number | undefined;
  #events: SourceEvent[] = [];
  #nals: Uint8Array[] = [];
  #hasSlice = false;
  #sps: Uint8Array | null = null;
  #pps = new Map<string, Uint8Array>();
  #isConfigStale = false;
  #config: VideoTrackConfig | null = null;
  pictures = 0;

  constructor(givenFps: number | undefined) {
    this.#givenFps = givenFps;
  }

  take(): SourceEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  push(nal: Uint8Array): void {
    const nal_unit_type = (nal[0] ?? 0) & 0x1f;
    const isSlice = nal_unit_type >= NAL_UNIT_TYPE.SLICE && nal_unit_type <= NAL_UNIT_TYPE.IDR_SLICE;
    // first_mb_in_slice = 0 is ue(v) '1': the first bit after the NAL unit header.
    const startsPicture = isSlice && ((nal[1] ?? 0) & 0x80) !== 0;
    const precedesPicture =
      (nal_unit_type >= NAL_UNIT_TYPE.SEI && nal_unit_type <= NAL_UNIT_TYPE.ACCESS_UNIT_DELIMITER) ||
      (nal_unit_type >= NAL_UNIT_TYPE.PREFIX && nal_unit_type <= 18);
    if (this.#hasSlice && (startsPicture || precedesPicture)) {
      this.flush();
    }
    this.#add(nal, nal_unit_type);
    this.#hasSlice ||= isSlice;
  }

  /** Delivers the access unit that is being collected. */
  flush(): void {
    if (this.#hasSlice && this.#nals.length > 0) {
      this.#configure();
      this.#deliver();
    }
    this.#nals = [];
    this.#hasSlice = false;
  }

  #add(nal: Uint8Array, nal_unit_type: number): void {
    switch (nal_unit_type) {
      case NAL_UNIT_TYPE.SPS:
        this.#isConfigStale ||= this.#sps === null || Buffer.compare(this.#sps, nal) !== 0;
        this.#sps = nal;
        break;
      case NAL_UNIT_TYPE.PPS: {
        const name = Buffer.from(nal).toString('hex');
        this.#isConfigStale ||= !this.#pps.has(name);
        this.#pps.set(name, nal);
        break;
      }
      case NAL_UNIT_TYPE.ACCESS_UNIT_DELIMITER:
      case NAL_UNIT_TYPE.FILLER:
      case NAL_UNIT_TYPE.END_OF_SEQUENCE:
      case NAL_UNIT_TYPE.END_OF_STREAM:
        break;
      default:
        this.#nals.push(nal);
    }
  }

  #configure(): void {
    if (!this.#isConfigStale || this.#sps === null) {
      return;
    }
    this.#isConfigStale = false;
    const sps = parseSps(parseNalUnit(this.#sps).rbsp);
    requireDisplayOrder(sps);
    const description = configurationRecord(this.#sps, sps, [...this.#pps.values()]);
    const fps = this.#givenFps ?? frameRateOf(sps) ?? DEFAULT_FPS;
    this.#config = { kind: 'video', ...describeVideo('avc', description, {}), description, fps };
    this.#events.push({ kind: 'track', name: 'video', config: this.#config });
  }

  #deliver(): void {
    if (this.#config === null) {
      throw new ContainerError('The first picture comes before any parameter set.', 0);
    }
    const time = microseconds(Math.round((this.pictures * SECOND) / (this.#config.fps ?? DEFAULT_FPS)));
    const data = joinLengthPrefixed(this.#nals);
    const priority = classifyAccessUnit('avc', data, { lengthSize: 4, isFlaggedKey: false });
    const unit = { priority, pts: time, dts: time, data, arrivalTime: microseconds(0) };
    this.#events.push({ kind: 'unit', name: 'video', unit });
    this.pictures += 1;
  }
}

function requireDisplayOrder(sps: SequenceParameterSet): void {
  const reordered = sps.vui?.bitstream_restriction?.max_num_reorder_frames;
  const isInOrder = sps.profile_idc === BASELINE_PROFILE || sps.pic_order_cnt_type === 2 || reordered === 0;
  if (!isInOrder) {
    const sentence =
      'The stream may reorder its pictures and an elementary stream carries no times; publish it from an MP4 or FLV file.';
    throw new ProtocolError('unsupported-codec', sentence);
  }
}

function configurationRecord(
  spsNal: Uint8Array,
  sps: SequenceParameterSet,
  pictureParameterSets: readonly Uint8Array[],
): Uint8Array {
  return writeAvcDecoderConfigurationRecord({
    AVCProfileIndication: sps.profile_idc,
    profile_compatibility: sps.constraint_set_flags,
    AVCLevelIndication: sps.level_idc,
    lengthSize: 4,
    sequenceParameterSets: [spsNal],
    pictureParameterSets,
    extension: {
      chroma_format: sps.chroma_format_idc,
      bit_depth_luma_minus8: sps.bit_depth_luma_minus8,
      bit_depth_chroma_minus8: sps.bit_depth_chroma_minus8,
      sequenceParameterSetExtensions: [],
    },
  });
}
