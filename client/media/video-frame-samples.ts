// Copies the samples of a WebCodecs VideoFrame into a packed I420 buffer. I420 and NV12 (8 bit 4:2:0) are exact; deeper, 4:2:2,
// 4:4:4 and RGB frames are reduced to 8 bit 4:2:0. Used by the WebCodecs decoder and the studio's encode worker.

import { i420ByteLength } from '../../shared/media/frame.ts';

type Size = { readonly width: number; readonly height: number };
type Layout = { readonly offset: number; readonly stride: number };

/** Size of the visible picture. */
export function visibleSize(frame: VideoFrame): Size {
  return {
    width: frame.visibleRect?.width ?? frame.displayWidth,
    height: frame.visibleRect?.height ?? frame.displayHeight,
  };
}

function planarLayout(size: Size, chroma: Size, bytesPerSample: number): Layout[] {
  const lumaBytes = size.width * size.height * bytesPerSample;
  const chromaBytes = chroma.width * chroma.height * bytesPerSample;
  return [
    { offset: 0, stride: size.width * bytesPerSample },
    { offset: lumaBytes, stride: chroma.width * bytesPerSample },
    { offset: lumaBytes + chromaBytes, stride: chroma.width * bytesPerSample },
  ];
}

async function copyNv12(frame: VideoFrame, size: Size, target: Uint8Array<ArrayBuffer>): Promise<void> {
  const chromaWidth = (size.width + 1) >> 1;
  const chromaSamples = chromaWidth * ((size.height + 1) >> 1);
  const luma = size.width * size.height;
  const scratch = new Uint8Array(luma + 2 * chromaSamples);
  await frame.copyTo(scratch, {
    layout: [
      { offset: 0, stride: size.width },
      { offset: luma, stride: 2 * chromaWidth },
    ],
  });
  target.set(scratch.subarray(0, luma));
  for (let index = 0, at = luma; index < chromaSamples; index += 1, at += 2) {
    target[luma + index] = scratch[at] ?? 0;
    target[luma + chromaSamples + index] = scratch[at + 1] ?? 0;
  }
}

type PlanarFormat = { readonly xShift: 0 | 1; readonly yShift: 0 | 1; readonly depth: 8 | 10 | 12 };

const PLANAR_FORMATS: Readonly<Record<string, PlanarFormat>> = {
  I422: { xShift: 1, yShift: 0, depth: 8 },
  I444: { xShift: 0, yShift: 0, depth: 8 },
  I420P10: { xShift: 1, yShift: 1, depth: 10 },
  I420P12: { xShift: 1, yShift: 1, depth: 12 },
  I422P10: { xShift: 1, yShift: 0, depth: 10 },
  I422P12: { xShift: 1, yShift: 0, depth: 12 },
  I444P10: { xShift: 0, yShift: 0, depth: 10 },
  I444P12: { xShift: 0, yShift: 0, depth: 12 },
};

async function copyReduced(
  frame: VideoFrame,
  format: PlanarFormat,
  size: Size,
  target: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const chroma = {
    width: (size.width + format.xShift) >> format.xShift,
    height: (size.height + format.yShift) >> format.yShift,
  };
  const bytesPerSample = format.depth > 8 ? 2 : 1;
  const sourceSamples = size.width * size.height + 2 * chroma.width * chroma.height;
  const bytes = new Uint8Array(sourceSamples * bytesPerSample);
  await frame.copyTo(bytes, { layout: planarLayout(size, chroma, bytesPerSample) });
  const samples = bytesPerSample === 2 ? new Uint16Array(bytes.buffer) : bytes;
  const down = format.depth - 8;
  const luma = size.width * size.height;
  for (let index = 0; index < luma; index += 1) {
    target[index] = (samples[index] ?? 0) >> down;
  }
  const outWidth = (size.width + 1) >> 1;
  const outHeight = (size.height + 1) >> 1;
  let out = luma;
  for (let plane = 0; plane < 2; plane += 1) {
    const start = luma + plane * chroma.width * chroma.height;
    for (let row = 0; row < outHeight; row += 1) {
      const rowStart = start + (row << (1 - format.yShift)) * chroma.width;
      for (let column = 0; column < outWidth; column += 1) {
        target[out] = (samples[rowStart + (column << (1 - format.xShift))] ?? 0) >> down;
        out += 1;
      }
    }
  }
}

// BT.709 limited range, in 1/65536; used for camera and screen frames that come as RGB.
function rgbaToI420(rgba: Uint8Array, size: Size, target: Uint8Array): void {
  const { width, height } = size;
  const chromaWidth = (width + 1) >> 1;
  const uStart = width * height;
  const vStart = uStart + chromaWidth * ((height + 1) >> 1);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const at = (row * width + column) * 4;
      const r = rgba[at] ?? 0;
      const g = rgba[at + 1] ?? 0;
      const b = rgba[at + 2] ?? 0;
      target[row * width + column] = (11966 * r + 40254 * g + 4064 * b + 1081344) >> 16;
      if (((row | column) & 1) === 0) {
        const chromaAt = (row >> 1) * chromaWidth + (column >> 1);
        target[uStart + chromaAt] = (-6596 * r - 22188 * g + 28784 * b + 8421376) >> 16;
        target[vStart + chromaAt] = (28784 * r - 26145 * g - 2639 * b + 8421376) >> 16;
      }
    }
  }
}

/** Fills `target` (i420ByteLength of the visible size) with the frame's samples. The frame stays open. */
export async function copyToI420(frame: VideoFrame, target: Uint8Array<ArrayBuffer>): Promise<void> {
  const size = visibleSize(frame);
  if (target.length < i420ByteLength(size.width, size.height)) {
    throw new RangeError('The buffer is too short for the picture.');
  }
  const format: string = frame.format ?? 'opaque';
  if (format === 'I420' || format === 'I420A') {
    const chroma = { width: (size.width + 1) >> 1, height: (size.height + 1) >> 1 };
    const layout: Layout[] = planarLayout(size, chroma, 1);
    if (format === 'I420') {
      await frame.copyTo(target, { layout });
      return;
    }
    const withAlpha = new Uint8Array(i420ByteLength(size.width, size.height) + size.width * size.height);
    layout.push({ offset: i420ByteLength(size.width, size.height), stride: size.width });
    await frame.copyTo(withAlpha, { layout });
    target.set(withAlpha.subarray(0, i420ByteLength(size.width, size.height)));
    return;
  }
  if (format === 'NV12') {
    await copyNv12(frame, size, target);
    return;
  }
  const planar = PLANAR_FORMATS[format];
  if (planar !== undefined) {
    await copyReduced(frame, planar, size, target);
    return;
  }
  const rgba = new Uint8Array(size.width * size.height * 4);
  await frame.copyTo(rgba, { format: 'RGBA', layout: [{ offset: 0, stride: size.width * 4 }] });
  rgbaToI420(rgba, size, target);
}
