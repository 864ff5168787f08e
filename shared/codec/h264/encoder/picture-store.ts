// Pictures in the codec memory: the padded source picture and a ring of padded reconstructions. A reconstruction has LUMA_BORDER
// samples of repeated edge around it (8.4.2.2.1 clamps coordinates; the border makes that free). Owned by H264Encoder.

import type { I420Frame, Plane } from '../../../media/frame.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { Pointer } from '../kernels/kernels.ts';

/** Samples of repeated edge around luma reconstructions; chroma has half. */
export const LUMA_BORDER = 32;
export const CHROMA_BORDER = LUMA_BORDER / 2;

/** A picture of the encoder: pointers to the top left samples of its planes. Its state as a reference is in gop-structure.ts. */
export type EncoderPicture = {
  readonly y: Pointer;
  readonly u: Pointer;
  readonly v: Pointer;
  /** Bytes between rows. */
  readonly lumaStride: number;
  readonly chromaStride: number;
  /** frame_num while it is a reference. */
  frame_num: number;
};

/** Size of a picture in samples, whole macroblocks. */
export type CodedSize = { readonly width: number; readonly height: number };

/** Bytes that one reconstruction takes. */
export function pictureBytes(size: CodedSize): number {
  const luma = (size.width + 2 * LUMA_BORDER) * (size.height + 2 * LUMA_BORDER);
  return luma + luma / 2 + 256;
}

/** Allocates a reconstruction with borders. */
export function allocatePicture(memory: CodecMemory, size: CodedSize): EncoderPicture {
  const lumaStride = size.width + 2 * LUMA_BORDER;
  const chromaStride = size.width / 2 + 2 * CHROMA_BORDER;
  const lumaBytes = lumaStride * (size.height + 2 * LUMA_BORDER);
  const chromaBytes = chromaStride * (size.height / 2 + 2 * CHROMA_BORDER);
  const lumaOrigin = LUMA_BORDER * lumaStride + LUMA_BORDER;
  const chromaOrigin = CHROMA_BORDER * chromaStride + CHROMA_BORDER;
  return {
    y: memory.allocate(lumaBytes, 64) + lumaOrigin,
    u: memory.allocate(chromaBytes, 64) + chromaOrigin,
    v: memory.allocate(chromaBytes, 64) + chromaOrigin,
    lumaStride,
    chromaStride,
    frame_num: 0,
  };
}

/** Allocates the source picture, without borders. */
export function allocateSource(memory: CodecMemory, size: CodedSize): EncoderPicture {
  const { width, height } = size;
  return {
    y: memory.allocate(width * height, 64),
    u: memory.allocate((width * height) / 4, 64),
    v: memory.allocate((width * height) / 4, 64),
    lumaStride: width,
    chromaStride: width / 2,
    frame_num: 0,
  };
}

/** Copies a plane to `target`, repeating its last column and row up to width x height. */
function importPlane(bytes: Uint8Array, target: Pointer, stride: number, width: number, height: number, plane: Plane) {
  const { data, stride: from } = plane;
  if (plane.width === width && plane.height === height && from === width && stride === width) {
    bytes.set(data.subarray(0, width * height), target);
    return;
  }
  for (let y = 0; y < plane.height; y++) {
    const row = target + y * stride;
    bytes.set(data.subarray(y * from, y * from + plane.width), row);
    if (plane.width < width) {
      bytes.fill(bytes[row + plane.width - 1], row + plane.width, row + width);
    }
  }
  const last = target + (plane.height - 1) * stride;
  for (let y = plane.height; y < height; y++) {
    bytes.copyWithin(target + y * stride, last, last + width);
  }
}

/** Copies a frame into the source picture, padding it to whole macroblocks by edge replication. */
export function importFrame(memory: CodecMemory, source: EncoderPicture, size: CodedSize, frame: I420Frame): void {
  const { bytes } = memory;
  const { width, height } = size;
  importPlane(bytes, source.y, source.lumaStride, width, height, frame.y);
  importPlane(bytes, source.u, source.chromaStride, width / 2, height / 2, frame.u);
  importPlane(bytes, source.v, source.chromaStride, width / 2, height / 2, frame.v);
}

/** A reconstruction as decoders show it, cropped to even size (6.2), with the times and colours of `frame`: views on the memory. */
export function exportFrame(memory: CodecMemory, picture: EncoderPicture, frame: I420Frame): I420Frame {
  const { bytes } = memory;
  const width = (frame.width + 1) & ~1;
  const height = (frame.height + 1) & ~1;
  const plane = (at: number, stride: number, w: number, h: number): Plane => ({
    data: bytes.subarray(at, at + (h - 1) * stride + w),
    stride,
    width: w,
    height: h,
  });
  return {
    width,
    height,
    y: plane(picture.y, picture.lumaStride, width, height),
    u: plane(picture.u, picture.chromaStride, width >> 1, height >> 1),
    v: plane(picture.v, picture.chromaStride, width >> 1, height >> 1),
    timestamp: frame.timestamp,
    sampleAspect: frame.sampleAspect,
    colour: frame.colour,
    close: () => undefined,
  };
}
