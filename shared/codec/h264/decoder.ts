// The H.264 decoder (Rec. ITU-T H.264, 08/2024): access units in, I420 frames out, in the words of WebCodecs. Runs in any worker or
// thread; holds no timer and does no I/O. Frames are views on the decoder's memory until they are closed.

import { splitAnnexB, type NalRange } from '../../bitstream/annex-b.ts';
import { parseAvcDecoderConfigurationRecord, splitLengthPrefixed } from '../../bitstream/avcc.ts';
import { BitReader } from '../../bitstream/bit-reader.ts';
import { removeEmulationPrevention } from '../../bitstream/emulation-prevention.ts';
import { BitstreamError, ContainerError, type BitstreamErrorCode } from '../../errors.ts';
import type { ColourDescription } from '../../media/colour.ts';
import { i420ByteLength, packedI420, type I420Frame } from '../../media/frame.ts';
import type { DecoderConfig, DecoderInit, EncodedChunk } from './codec-types.ts';
import type { Picture, Structure } from './dpb/picture.ts';
import { createWasmKernels } from './kernels/wasm-kernels.ts';
import { createReferenceKernels } from './kernels/reference-kernels.ts';
import { createSliceKernels, sharedSliceModule } from './kernels/slice-kernels.ts';
import { StageRecorder, type MacroblockStages } from './decoder/macroblock-stages.ts';
import type { SyntaxElement } from './decoder/observed-syntax.ts';
import { PictureDecoder } from './decoder/picture-decoder.ts';
import type { NalPlace } from './decoder/picture-events.ts';
import { PictureThread } from './decoder/picture-thread.ts';
import { hasRoomForThread, Sequence, type KernelFactory } from './decoder/sequence.ts';
import { NAL_UNIT_TYPE, parseNalHeader, type NalHeader } from './syntax/nal-unit.ts';
import { parsePps, type PictureParameterSet } from './syntax/pps.ts';
import { findSliceContext, parseSliceHeader, type SliceContext, type SliceHeader } from './syntax/slice-header.ts';
import { colourOf, parseSps, writeSps, type SequenceParameterSet } from './syntax/sps.ts';
import { sampleAspectOf } from './syntax/vui.ts';

/** Bytes after an RBSP that fast readers may look at. */
const READ_AHEAD = 8;

const WASM: KernelFactory = { reconstruction: createWasmKernels, slices: createSliceKernels };
const REFERENCE: KernelFactory = { reconstruction: createReferenceKernels, slices: null };

/** A listener to what is decoded, for the trace (`tessera probe`) and the inspector. */
export type DecoderTrace = {
  /** Each slice header, before its data. */
  readonly slice?: (header: SliceHeader, context: SliceContext) => void;
  /** Each macroblock when it is decoded, with the bits it took. */
  readonly macroblock?: (decoder: PictureDecoder, bits: number) => void;
  /** Bits of each syntax element of the current macroblock, before `macroblock` (which must be there too). */
  readonly syntaxElement?: (name: SyntaxElement, bits: number) => void;
  /** Asked after each macroblock (`macroblock` must be there too): true keeps its stages, which `stages` gets when the picture is done. */
  readonly wantsStages?: (decoder: PictureDecoder) => boolean;
  /** The stages of a macroblock that `wantsStages` asked for, once its picture is done. */
  readonly stages?: (stages: MacroblockStages) => void;
  /** Each picture when it is complete, before output. */
  readonly picture?: (decoder: PictureDecoder, picture: Picture, structure: Structure) => void;
  /** Each NAL unit as it comes. */
  readonly nalUnit?: (header: NalHeader, bytes: Uint8Array) => void;
};

/** Decodes one stream. */
export class H264Decoder {
  private readonly init: DecoderInit;
  private readonly trace: DecoderTrace | null;
  private config: DecoderConfig | null = null;
  private lengthSize: 1 | 2 | 4 = 4;
  private readonly spsById = new Map<number, SequenceParameterSet>();
  private readonly ppsById = new Map<number, PictureParameterSet>();
  /** Bytes of the parameter sets, to recognise repetitions. */
  private readonly spsBytes = new Map<number, Uint8Array>();
  private readonly ppsBytes = new Map<number, Uint8Array>();
  private pictures: PictureDecoder | null = null;
  private thread: PictureThread | null = null;
  private activeSpsKey = '';
  private activeColour: ColourDescription | null = null;
  private activeAspect: readonly [number, number] = [1, 1];
  private rbsp = new Uint8Array(64 * 1024);
  private accessUnit = -1;
  private nal = 0;
  private isClosed = false;
  /** When the current access unit has used up its budget, on the monotonic clock (ms). */
  private deadline = Number.POSITIVE_INFINITY;
  private readonly lookup = {
    sps: (id: number): SequenceParameterSet | undefined => this.spsById.get(id),
    pps: (id: number): PictureParameterSet | undefined => this.ppsById.get(id),
  };

  /** `trace` is for tools: it sees headers, macroblocks and pictures as they are decoded. */
  constructor(init: DecoderInit, trace: DecoderTrace | null = null) {
    this.init = init;
    this.trace = trace;
  }

  /** Sets how chunks are framed and how frames come out. Throws ContainerError on a bad description. */
  configure(config: DecoderConfig): void {
    this.requireOpen();
    this.reset();
    this.config = config;
    this.startThread(config);
    if (config.format === 'avc' && config.description !== undefined) {
      const record = parseAvcDecoderConfigurationRecord(config.description);
      this.lengthSize = record.lengthSize;
      for (const set of [...record.sequenceParameterSets, ...record.pictureParameterSets]) {
        this.decodeNal(set, 0 as EncodedChunk['timestamp']);
      }
    }
  }

  /** Decodes one access unit (or any whole NAL units of one). Damage is reported and concealed, never thrown. */
  decode(chunk: EncodedChunk): void {
    this.requireOpen();
    const { config } = this;
    if (config === null) {
      throw new TypeError('Call configure() before decode().');
    }
    this.accessUnit++;
    this.nal = -1;
    this.deadline = config.budgetMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + config.budgetMs;
    let ranges: NalRange[] = [];
    if (config.format === 'annexb') {
      ranges = splitAnnexB(chunk.data);
    } else {
      try {
        ranges = splitLengthPrefixed(chunk.data, this.lengthSize);
      } catch (error) {
        if (!(error instanceof ContainerError)) {
          throw error;
        }
        this.report('truncated', 8 * error.byteOffset);
      }
    }
    for (const { start, end } of ranges) {
      this.nal++;
      this.decodeNal(chunk.data.subarray(start, end), chunk.timestamp);
    }
    if (this.pictures?.isCurrentComplete === true || (config.format === 'avc' && this.pictures?.isBusy === true)) {
      this.pictures.finishPicture();
    }
  }

  /** Outputs all frames that wait. Decoding can go on with a key frame. */
  flush(): void {
    this.requireOpen();
    this.pictures?.flush();
  }

  /** Forgets the stream: nothing that waits is output. */
  reset(): void {
    this.requireOpen();
    this.pictures?.abandon();
    this.pictures = null;
    this.activeSpsKey = '';
    this.spsById.clear();
    this.ppsById.clear();
    this.spsBytes.clear();
    this.ppsBytes.clear();
    this.accessUnit = -1;
  }

  /** Ends the decoder for good. Frames that are still open stay valid. */
  close(): void {
    if (!this.isClosed) {
      this.reset();
      this.thread?.close();
      this.isClosed = true;
    }
  }

  private requireOpen(): void {
    if (this.isClosed) {
      throw new TypeError('The decoder is closed.');
    }
  }

  /** Starts the second thread when the configuration asks for one and allows it (see DecoderConfig.threads). */
  private startThread(config: DecoderConfig): void {
    this.thread?.close();
    this.thread = null;
    const { threadHost } = this.init;
    const isAllowed =
      config.lowDelay !== true &&
      config.budgetMs === undefined &&
      config.kernels !== 'reference' &&
      this.trace === null &&
      typeof SharedArrayBuffer !== 'undefined';
    if ((config.threads ?? 1) > 1 && threadHost !== undefined && threadHost.parallelism > 1 && isAllowed) {
      this.thread = new PictureThread(threadHost);
    }
  }

  private get place(): NalPlace {
    return { accessUnit: this.accessUnit, nal: this.nal };
  }

  private report(code: BitstreamErrorCode, bitOffset: number, place: NalPlace = this.place): void {
    this.init.error({ code, ...place, bitOffset });
  }

  /** Decodes a NAL unit; every BitstreamError ends here. */
  private decodeNal(bytes: Uint8Array, timestamp: EncodedChunk['timestamp']): void {
    try {
      const header = parseNalHeader(bytes[0]);
      this.trace?.nalUnit?.(header, bytes);
      this.dispatch(header, bytes, timestamp);
    } catch (error) {
      if (!(error instanceof BitstreamError)) {
        throw error;
      }
      this.report(error.code, error.bitOffset);
    }
  }

  private dispatch(header: NalHeader, bytes: Uint8Array, timestamp: EncodedChunk['timestamp']): void {
    switch (header.nal_unit_type) {
      case NAL_UNIT_TYPE.SLICE:
      case NAL_UNIT_TYPE.IDR_SLICE:
        this.decodeSlice(header, bytes, timestamp);
        break;
      case NAL_UNIT_TYPE.SPS:
        this.takeSps(bytes);
        break;
      case NAL_UNIT_TYPE.PPS:
        this.takePps(bytes);
        break;
      case NAL_UNIT_TYPE.ACCESS_UNIT_DELIMITER:
      case NAL_UNIT_TYPE.SEI:
        this.pictures?.finishPicture();
        break;
      case NAL_UNIT_TYPE.END_OF_SEQUENCE:
      case NAL_UNIT_TYPE.END_OF_STREAM:
        this.pictures?.finishPicture();
        break;
      case NAL_UNIT_TYPE.SLICE_PARTITION_A:
        throw new BitstreamError('unsupported', '7.3.2.9', 0, 'Slice data partitioning is not supported.');
      default:
      // Everything else is for other decoders (7.4.1): extensions, auxiliary pictures, filler, reserved and unspecified types.
    }
  }

  private unescape(bytes: Uint8Array): number {
    if (this.rbsp.length < bytes.length + READ_AHEAD) {
      this.rbsp = new Uint8Array(2 * bytes.length + READ_AHEAD);
    }
    const length = removeEmulationPrevention(bytes, 1, bytes.length, this.rbsp);
    this.rbsp.fill(0, length, length + READ_AHEAD);
    return length;
  }

  private takeSps(bytes: Uint8Array): void {
    const length = this.unescape(bytes);
    const rbsp = this.rbsp.slice(0, length);
    const sps = parseSps(rbsp);
    const id = sps.seq_parameter_set_id;
    const known = this.spsBytes.get(id);
    if (known !== undefined && areEqual(known, rbsp)) {
      return;
    }
    this.pictures?.finishPicture();
    this.spsBytes.set(id, rbsp);
    this.spsById.set(id, sps);
  }

  private takePps(bytes: Uint8Array): void {
    const length = this.unescape(bytes);
    const rbsp = this.rbsp.slice(0, length);
    const first = parsePps(rbsp);
    const sps = this.spsById.get(first.seq_parameter_set_id);
    const pps = sps === undefined || sps.chroma_format_idc === 1 ? first : parsePps(rbsp, sps.chroma_format_idc);
    const id = pps.pic_parameter_set_id;
    const known = this.ppsBytes.get(id);
    if (known !== undefined && areEqual(known, rbsp)) {
      return;
    }
    this.pictures?.finishPicture();
    this.ppsBytes.set(id, rbsp);
    this.ppsById.set(id, pps);
  }

  private decodeSlice(nal: NalHeader, bytes: Uint8Array, timestamp: EncodedChunk['timestamp']): void {
    const length = this.unescape(bytes);
    const context = findSliceContext(this.rbsp.subarray(0, length), nal, this.lookup);
    const reader = new BitReader(this.rbsp, 0, length);
    const header = parseSliceHeader(reader, context);
    if (header.redundant_pic_cnt > 0) {
      return;
    }
    this.trace?.slice?.(header, context);
    const pictures = this.activate(context);
    pictures.decodeSlice(reader, header, context, timestamp, this.accessUnit);
  }

  /** The picture decoder for the slice's SPS; a new one when the sequence changes. */
  private activate(context: SliceContext): PictureDecoder {
    const { sps } = context;
    if (this.pictures?.sequence.sps === sps) {
      return this.pictures;
    }
    const key = writeSps(sps).join();
    if (this.pictures !== null && key === this.activeSpsKey) {
      return this.pictures;
    }
    if (sps.chroma_format_idc > 1 || sps.bit_depth_luma_minus8 > 0 || sps.bit_depth_chroma_minus8 > 0) {
      throw new BitstreamError('unsupported', 'A.2', 0, 'Only 4:2:0 and 4:0:0 with 8 bits are supported.');
    }
    const { config, trace } = this;
    const isThreaded =
      this.thread !== null && sps.frame_mbs_only_flag && sps.chroma_format_idc === 1 && hasRoomForThread(sps);
    const kernels = config?.kernels === 'reference' ? REFERENCE : WASM;
    const sequence = new Sequence(sps, kernels, { isThreaded });
    const thread = isThreaded ? this.thread : null;
    // A sequence that is refused leaves the one before as it is.
    this.pictures?.flush();
    thread?.attach(sequence.memory.memory, sharedSliceModule(), sequence.threadStatePointer);
    const pictures: PictureDecoder = new PictureDecoder(
      sequence,
      config?.lowDelay === true,
      {
        output: (picture) => this.output(sequence, picture),
        error: (code, bitOffset, place) => this.report(code, bitOffset, place),
        place: () => this.place,
        decoded: (picture, structure) => {
          const stages = recorder?.finishPicture() ?? null;
          if (stages !== null) {
            trace?.stages?.(stages);
          }
          trace?.picture?.(pictures, picture, structure);
        },
      },
      thread,
    );
    const recorder = trace?.wantsStages === undefined ? null : new StageRecorder(sequence.state);
    if (trace?.macroblock !== undefined) {
      const { macroblock } = trace;
      pictures.sliceData.onMacroblock = (bits) => {
        recorder?.finishMacroblock(trace.wantsStages?.(pictures) === true);
        macroblock(pictures, bits);
      };
      if (trace.syntaxElement !== undefined || recorder !== null) {
        pictures.sliceData.observeSyntax({
          element: (name, bits) => trace.syntaxElement?.(name, bits),
          ...(recorder === null ? {} : { dcLevels: (component) => recorder.dcLevels(component) }),
        });
      }
    }
    if (config?.budgetMs !== undefined) {
      pictures.sliceData.isOverBudget = () => performance.now() > this.deadline;
    }
    this.pictures = pictures;
    this.activeSpsKey = key;
    this.activeColour = colourOf(sps);
    this.activeAspect = sampleAspectOf(sps.vui);
    return pictures;
  }

  private output(sequence: Sequence, picture: Picture): void {
    const { left, top, width, height } = sequence.size;
    const { bytes } = sequence.memory;
    const strideY = sequence.state.frameStrideY;
    const strideC = sequence.state.frameStrideC;
    const y = picture.memory.y + top * strideY + left;
    const offsetC = (top >> 1) * strideC + (left >> 1);
    const chromaWidth = (width + 1) >> 1;
    const chromaHeight = (height + 1) >> 1;
    const plane = (start: number, stride: number, planeWidth: number, planeHeight: number) => ({
      data: bytes.subarray(start, start + stride * (planeHeight - 1) + planeWidth),
      stride,
      width: planeWidth,
      height: planeHeight,
    });
    const meta = {
      timestamp: picture.timestamp,
      sampleAspect: this.activeAspect,
      colour: this.activeColour ?? colourOf(sequence.sps),
    };
    picture.holders++;
    let isOpen = true;
    const frame: I420Frame = {
      ...meta,
      width,
      height,
      y: plane(y, strideY, width, height),
      u: plane(picture.memory.u + offsetC, strideC, chromaWidth, chromaHeight),
      v: plane(picture.memory.v + offsetC, strideC, chromaWidth, chromaHeight),
      close: () => {
        if (isOpen) {
          isOpen = false;
          picture.holders--;
        }
      },
    };
    if (sequence.unheld > sequence.pictures.length - SPARE_FOR_RECEIVER - 1) {
      this.init.output(frame);
      return;
    }
    // The receiver holds as many frames as there are to spare: it gets a copy.
    const copy = new Uint8Array(i420ByteLength(width, height));
    let at = 0;
    for (const { data, stride, width: columns, height: rows } of [frame.y, frame.u, frame.v]) {
      for (let row = 0; row < rows; row++) {
        copy.set(data.subarray(row * stride, row * stride + columns), at);
        at += columns;
      }
    }
    frame.close();
    this.init.output(packedI420(copy, { width, height }, meta));
  }
}

/** Frames that the receiver may hold open before it gets copies. */
const SPARE_FOR_RECEIVER = 3;

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
