// The trace's ear on the entropy decoder: passes every question of the macroblock decoder on and says how many bits each answer took.
// In the way only while somebody traces (MacroblockDecoder.observe). With CABAC, bits are those that left the arithmetic code.

import type { MacroblockSyntax } from '../entropy/macroblock-syntax.ts';

/** Names of syntax elements as in 7.3.5; residual blocks go by what they hold. */
export type SyntaxElement =
  | 'mb_type'
  | 'sub_mb_type'
  | 'transform_size_8x8_flag'
  | 'intra_pred_mode'
  | 'intra_chroma_pred_mode'
  | 'ref_idx'
  | 'mvd'
  | 'coded_block_pattern'
  | 'mb_qp_delta'
  | 'residual_dc'
  | 'residual_4x4'
  | 'residual_8x8';

/** What is told about the answers. */
export type SyntaxListener = {
  readonly element: (name: SyntaxElement, bits: number) => void;
  /** The DC levels of a component (0 Y, 1 Cb, 2 Cr) have just been read into the state. */
  readonly dcLevels?: (component: number) => void;
};

/** A MacroblockSyntax that listens to another one. */
export class ObservedSyntax implements MacroblockSyntax {
  private readonly inner: MacroblockSyntax;
  private readonly position: () => number;
  private readonly listener: SyntaxListener;

  /** `position`: bits consumed so far by `inner`. */
  constructor(inner: MacroblockSyntax, position: () => number, listener: SyntaxListener) {
    this.inner = inner;
    this.position = position;
    this.listener = listener;
  }

  get mvdX(): number {
    return this.inner.mvdX;
  }

  get mvdY(): number {
    return this.inner.mvdY;
  }

  mb_type(): number {
    return this.measure('mb_type', () => this.inner.mb_type());
  }

  sub_mb_type(): number {
    return this.measure('sub_mb_type', () => this.inner.sub_mb_type());
  }

  transform_size_8x8_flag(): boolean {
    return this.measure('transform_size_8x8_flag', () => this.inner.transform_size_8x8_flag());
  }

  intraPredMode(): number {
    return this.measure('intra_pred_mode', () => this.inner.intraPredMode());
  }

  intra_chroma_pred_mode(): number {
    return this.measure('intra_chroma_pred_mode', () => this.inner.intra_chroma_pred_mode());
  }

  ref_idx(list: number, at: number, range: number): number {
    return this.measure('ref_idx', () => this.inner.ref_idx(list, at, range));
  }

  mvd(list: number, at: number): void {
    this.measure('mvd', () => this.inner.mvd(list, at));
  }

  coded_block_pattern(isIntra: boolean): number {
    return this.measure('coded_block_pattern', () => this.inner.coded_block_pattern(isIntra));
  }

  mb_qp_delta(): number {
    return this.measure('mb_qp_delta', () => this.inner.mb_qp_delta());
  }

  dcBlock(component: number): boolean {
    const isCoded = this.measure('residual_dc', () => this.inner.dcBlock(component));
    this.listener.dcLevels?.(component);
    return isCoded;
  }

  block4x4(cat: number, block: number, out: number, start: number, scaleBase: number): number {
    return this.measure('residual_4x4', () => this.inner.block4x4(cat, block, out, start, scaleBase));
  }

  block8x8(block8: number, out: number, scaleBase: number): boolean {
    return this.measure('residual_8x8', () => this.inner.block8x8(block8, out, scaleBase));
  }

  private measure<T>(name: SyntaxElement, read: () => T): T {
    const start = this.position();
    const value = read();
    this.listener.element(name, this.position() - start);
    return value;
  }
}
