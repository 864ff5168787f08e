// Scales I420 pictures: area averaging going down, bicubic going up, each axis on its own. Holds its own memory, filters and output
// picture, so that a call allocates nothing. Called by the transcode worker, one scaler per rendition.

import { CodecMemory } from '../codec/h264/kernels/codec-memory.ts';
import type { KernelKind, Pointer } from '../codec/h264/kernels/kernels.ts';
import { i420ByteLength, packedI420, type I420Frame, type Plane } from '../media/frame.ts';
import { createPixelKernels, type PixelKernels } from './pixel-kernels.ts';
import { createScalingFilter, type ScalingFilter } from './scaling-filter.ts';

const MAX_SIZE = 16384;

const roundUp = (value: number, multiple: number): number => (value + multiple - 1) & -multiple;

/** One filter and where its tables lie. */
type PlacedFilter = { readonly taps: number; readonly starts: Pointer; readonly weights: Pointer };

/** What one plane needs: luma, or both chroma planes. */
type PlanePlan = {
  readonly inputStride: number;
  readonly outputStride: number;
  readonly outputWidth: number;
  readonly outputHeight: number;
  readonly vertical: PlacedFilter;
  readonly horizontal: PlacedFilter;
};

/** Everything that depends on the size of the input. */
type Plan = {
  readonly inputWidth: number;
  readonly inputHeight: number;
  readonly memory: CodecMemory;
  readonly kernels: PixelKernels;
  readonly input: Pointer;
  readonly output: Pointer;
  readonly row: Pointer;
  readonly luma: PlanePlan;
  readonly chroma: PlanePlan;
};

export class Scaler {
  readonly width: number;
  readonly height: number;
  readonly #kind: KernelKind;
  #plan: Plan | undefined;

  /** Output size in samples, 1..16384 each. Throws RangeError. */
  constructor(width: number, height: number, options: { readonly kernels?: KernelKind } = {}) {
    for (const size of [width, height]) {
      if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
        throw new RangeError(`A scaler's output is 1 to ${MAX_SIZE} samples wide and high, got ${width}x${height}.`);
      }
    }
    this.width = width;
    this.height = height;
    this.#kind = options.kernels ?? 'wasm';
  }

  /** The picture at the scaler's size, with its time and colour. Its planes are views that the next call overwrites. */
  scale(frame: I420Frame): I420Frame {
    let plan = this.#plan;
    if (plan?.inputWidth !== frame.width || plan.inputHeight !== frame.height) {
      plan = this.#createPlan(frame.width, frame.height);
      this.#plan = plan;
    }
    const luma = this.#scalePlane(plan, plan.luma, frame.y, plan.output);
    const chromaBytes = plan.chroma.outputStride * plan.chroma.outputHeight;
    const uStart = plan.output + plan.luma.outputStride * plan.luma.outputHeight;
    return {
      width: this.width,
      height: this.height,
      y: luma,
      u: this.#scalePlane(plan, plan.chroma, frame.u, uStart),
      v: this.#scalePlane(plan, plan.chroma, frame.v, uStart + chromaBytes),
      timestamp: frame.timestamp,
      sampleAspect: this.#sampleAspect(frame),
      colour: frame.colour,
      close: () => undefined,
    };
  }

  /** The output's samples are as much wider as the picture was squeezed: the picture keeps its shape. */
  #sampleAspect(frame: I420Frame): readonly [number, number] {
    const [horizontal, vertical] = frame.sampleAspect;
    // a size that is only rounded to even numbers keeps square samples square
    const stretch = (frame.width * this.height) / (frame.height * this.width);
    if (stretch > 0.98 && stretch < 1.02) {
      return frame.sampleAspect;
    }
    return reduce(horizontal * frame.width * this.height, vertical * frame.height * this.width);
  }

  #scalePlane(plan: Plan, plane: PlanePlan, from: Plane, output: Pointer): Plane {
    const { memory, kernels, input, row } = plan;
    copyIn(memory.bytes, input, plane.inputStride, from);
    kernels.scalePlane(
      output,
      plane.outputStride,
      plane.outputWidth,
      plane.outputHeight,
      input,
      plane.inputStride,
      from.width,
      row,
      plane.vertical.starts,
      plane.vertical.weights,
      plane.vertical.taps,
      plane.horizontal.starts,
      plane.horizontal.weights,
      plane.horizontal.taps,
    );
    return {
      data: memory.bytes.subarray(output, output + plane.outputStride * plane.outputHeight),
      stride: plane.outputStride,
      width: plane.outputWidth,
      height: plane.outputHeight,
    };
  }

  #createPlan(inputWidth: number, inputHeight: number): Plan {
    const { width, height } = this;
    const chroma = (size: number): number => (size + 1) >> 1;
    const filters = [
      axisFilter(inputHeight, height, 1, false),
      axisFilter(inputWidth, width, 4, false),
      axisFilter(chroma(inputHeight), chroma(height), 1, false),
      axisFilter(chroma(inputWidth), chroma(width), 4, true),
    ] as const;
    const inputStride = roundUp(inputWidth, 8) + 8;
    const outputStride = roundUp(width, 16);
    const chromaOutputStride = roundUp(chroma(width), 16);
    const outputBytes = outputStride * height + 2 * chromaOutputStride * chroma(height);
    const rowBytes = 2 * (roundUp(inputWidth, 8) + filters[1].taps + filters[3].taps);
    const tableBytes = filters.reduce((sum, each) => sum + filterBytes(each), 0);
    const memory = CodecMemory.create(inputStride * inputHeight + outputBytes + rowBytes + tableBytes + 4096);
    const [lumaVertical, lumaHorizontal, chromaVertical, chromaHorizontal] = filters.map((each) =>
      placeFilter(memory, each),
    ) as [PlacedFilter, PlacedFilter, PlacedFilter, PlacedFilter];
    return {
      inputWidth,
      inputHeight,
      memory,
      kernels: createPixelKernels(memory.memory, this.#kind),
      input: memory.allocate(inputStride * inputHeight),
      output: memory.allocate(outputBytes),
      row: memory.allocate(rowBytes),
      luma: {
        inputStride,
        outputStride,
        outputWidth: width,
        outputHeight: height,
        vertical: lumaVertical,
        horizontal: lumaHorizontal,
      },
      chroma: {
        inputStride: roundUp(chroma(inputWidth), 8) + 8,
        outputStride: chromaOutputStride,
        outputWidth: chroma(width),
        outputHeight: chroma(height),
        vertical: chromaVertical,
        horizontal: chromaHorizontal,
      },
    };
  }
}

/** The filter of one axis; more than four horizontal taps come in eights. */
function axisFilter(inputSize: number, outputSize: number, tapMultiple: 1 | 4, isCosited: boolean): ScalingFilter {
  const filter = createScalingFilter({ inputSize, outputSize, tapMultiple, isCosited });
  return tapMultiple === 1 || filter.taps === 4
    ? filter
    : createScalingFilter({ inputSize, outputSize, tapMultiple: 8, isCosited });
}

/** Tables are read in groups of four outputs. */
const filterBytes = (filter: ScalingFilter): number =>
  4 * filter.starts.length + 2 * filter.weights.length + 256 * filter.taps;

function placeFilter(memory: CodecMemory, filter: ScalingFilter): PlacedFilter {
  const starts = memory.allocate(4 * roundUp(filter.starts.length, 4));
  const weights = memory.allocate(2 * filter.taps * roundUp(filter.starts.length, 4));
  new Int32Array(memory.memory.buffer).set(filter.starts, starts >> 2);
  memory.words.set(filter.weights, weights >> 1);
  return { taps: filter.taps, starts, weights };
}

function copyIn(bytes: Uint8Array, at: Pointer, stride: number, plane: Plane): void {
  for (let y = 0; y < plane.height; y++) {
    bytes.set(plane.data.subarray(y * plane.stride, y * plane.stride + plane.width), at + y * stride);
  }
}

function reduce(numerator: number, denominator: number): readonly [number, number] {
  let [a, b] = [numerator, denominator];
  while (b !== 0) {
    [a, b] = [b, a % b];
  }
  return [numerator / a, denominator / a];
}

/** A copy of `frame` that owns its samples, tightly packed. */
export function packFrame(frame: I420Frame): I420Frame {
  const packed = new Uint8Array(i420ByteLength(frame.width, frame.height));
  const copy = packedI420(packed, frame, frame);
  for (const [from, to] of [
    [frame.y, copy.y],
    [frame.u, copy.u],
    [frame.v, copy.v],
  ] as const) {
    copyIn(packed, to.data.byteOffset, to.stride, from);
  }
  return copy;
}
