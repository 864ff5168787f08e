// Scales captured frames down to the height that the streamer chose, and to even sizes. Frames that already fit pass unchanged.

/** The size of a picture that is at most `maxHeight` high, even both ways. */
function fittingSize(
  width: number,
  height: number,
  maxHeight: number,
): { readonly width: number; readonly height: number } {
  if (height <= maxHeight) {
    return { width: width & ~1, height: height & ~1 };
  }
  return { width: 2 * Math.round((width * maxHeight) / height / 2), height: maxHeight & ~1 };
}

/** One canvas, reused. */
export class FrameScaler {
  readonly #maxHeight: number;
  #canvas: OffscreenCanvas | null = null;

  constructor(maxHeight: number) {
    this.#maxHeight = maxHeight;
  }

  /** The frame itself or a smaller one in its place; the given one is closed unless it is the answer. */
  scale(frame: VideoFrame): VideoFrame {
    const { displayWidth, displayHeight } = frame;
    const size = fittingSize(displayWidth, displayHeight, this.#maxHeight);
    if (size.width === displayWidth && size.height === displayHeight) {
      return frame;
    }
    if (this.#canvas?.width !== size.width || this.#canvas.height !== size.height) {
      this.#canvas = new OffscreenCanvas(size.width, size.height);
    }
    const context = this.#canvas.getContext('2d', { alpha: false, desynchronized: true, willReadFrequently: true });
    context?.drawImage(frame, 0, 0, size.width, size.height);
    const scaled = new VideoFrame(this.#canvas, { timestamp: frame.timestamp, alpha: 'discard' });
    frame.close();
    return scaled;
  }
}
