// Which pictures are IDR, which temporal layer each has, what it refers to and what is kept: the structure of the stream, without
// delay (no reordering). Short-term references are a sliding window (8.2.5.3); long-term ones (8.2.5.4) are kept on request, so that after a
// loss the sender can predict from a picture that its peer has. Called by H264Encoder once per frame.
//
// Layers (hierarchical P): 2 layers: 0 1 0 1 ...; 3 layers: 0 2 1 2 0 2 1 2 ... The top layer is not referenced (nal_ref_idc 0). A layer 0
// picture refers to the layer 0 picture before it, a layer 1 picture to the layer 0 picture before it, a layer 2
// picture to the picture before it, so that dropping upper layers removes no reference of what stays.

import type { DecRefPicMarking, MemoryManagementOperation } from '../syntax/marking-syntax.ts';
import type { ListModification } from '../syntax/ref-list-modification.ts';
import type { EncoderPicture } from './picture-store.ts';

/** How one picture is coded. */
export type PicturePlan = {
  readonly isIdr: boolean;
  /** Made of I slices: an IDR picture, or the first of a new scene. */
  readonly isIntra: boolean;
  readonly temporalLayer: number;
  readonly isReference: boolean;
  readonly frame_num: number;
  readonly idr_pic_id: number;
  /** Reference list 0, best first. */
  readonly references: readonly EncoderPicture[];
  /** ref_pic_list_modification commands that make that list. */
  readonly modification: ListModification;
  /** dec_ref_pic_marking(); null when the picture is not a reference. */
  readonly marking: DecRefPicMarking | null;
  /** LongTermFrameIdx under which the picture is kept; null: as a short-term reference, or not. */
  readonly longTermIndex: number | null;
  /** Pictures before this one are not referred to any more: it is an IDR picture or predicted from a long-term one. */
  readonly isFreshStart: boolean;
  /** Where the reconstruction goes. */
  readonly target: EncoderPicture;
};

/** What the caller asks of a picture. */
export type PictureWish = {
  readonly isKeyFrame: boolean;
  readonly isSceneCut: boolean;
  /** Keep the picture as a long-term reference. */
  readonly isKept: boolean;
  /** LongTermFrameIdx of the only picture to predict from. */
  readonly predictFrom: number | null;
};

/** A picture that decoders hold as a reference. */
type Held = {
  readonly picture: EncoderPicture;
  readonly layer: number;
  /** LongTermFrameIdx, or null for a short-term reference. */
  readonly longTermIndex: number | null;
  /** Order of coding. */
  readonly order: number;
};

/** What decides the structure. */
export type GopOptions = {
  /** Pictures from IDR to IDR. */
  readonly keyint: number | 'infinite';
  readonly layers: number;
  /** Reference pictures that a P picture may use. */
  readonly references: number;
  /** Long-term references that can be kept beside them. */
  readonly longTerm: number;
  readonly MaxFrameNum: number;
};

/**
 * max_num_ref_frames for a number of references, layers and long-term references: three layers keep the layer 0 picture behind the layer 1
 * picture.
 */
export function referencesKept(references: number, layers: number, longTerm: number): number {
  return longTerm + (layers === 3 && references < 2 ? 2 : references);
}

const LAYER_PATTERNS = [[0], [0], [0, 1], [0, 2, 1, 2]];

/** Plans pictures one after another. */
export class GopStructure {
  private readonly options: GopOptions;
  private readonly pictures: readonly EncoderPicture[];
  /** Short-term references, latest first, and long-term ones by index, as decoders hold them. */
  private short: Held[] = [];
  private long: Held[] = [];
  /** Pictures coded before this one are not referred to. */
  private oldest = 0;
  private order = 0;
  private sinceIdr = 0;
  /** Pictures since the pattern of layers began: with an IDR, a scene cut or a long-term reference. */
  private sinceStart = 0;
  private idrCount = 0;
  private frame_num = 0;
  private isStarted = false;
  /** The long-term index that was predicted from last: the peer has it, the other one is replaced first. */
  private trusted = -1;

  /** `pictures`: one more than the references that are kept. */
  constructor(options: GopOptions, pictures: readonly EncoderPicture[]) {
    this.options = options;
    this.pictures = pictures;
  }

  /**
   * The plan of the next picture. Nothing changes until commit(). A scene cut gets I slices and starts the pattern of layers again, but the
   * group goes on: where groups begin is the caller's choice. Throws RangeError when `predictFrom` names nothing that is kept.
   */
  plan(wish: PictureWish): PicturePlan {
    const { keyint, layers } = this.options;
    const isDue = keyint !== 'infinite' && this.sinceIdr >= keyint;
    const isIdr = !this.isStarted || wish.isKeyFrame || isDue;
    const source = isIdr || wish.predictFrom === null ? null : this.longTermOf(wish.predictFrom);
    const isIntra = isIdr || (wish.isSceneCut && source === null);
    const pattern = LAYER_PATTERNS[layers];
    const isPatternStart = isIntra || source !== null || wish.isKept;
    const temporalLayer = isPatternStart ? 0 : pattern[this.sinceStart % pattern.length];
    const isReference = layers === 1 || temporalLayer < layers - 1;
    const list = isIntra ? [] : source === null ? this.usable(temporalLayer) : [source];
    const longTermIndex = wish.isKept ? this.nextIndex(isIdr) : null;
    const frame_num = isIdr ? 0 : this.frame_num;
    return {
      isIdr,
      isIntra,
      temporalLayer,
      isReference,
      frame_num,
      idr_pic_id: this.idrCount & 1,
      references: list.map(({ picture }) => picture),
      modification: this.modificationFor(list, frame_num),
      marking: isReference ? this.markingFor(isIdr, longTermIndex, frame_num) : null,
      longTermIndex,
      isFreshStart: isIdr || source !== null,
      target: this.freePicture(isIdr),
    };
  }

  private longTermOf(index: number): Held {
    const found = this.long.find(({ longTermIndex }) => longTermIndex === index);
    if (found === undefined) {
      throw new RangeError(`No picture is kept as long-term reference ${index}.`);
    }
    return found;
  }

  /** What a picture of a layer may refer to, latest first. */
  private usable(temporalLayer: number): Held[] {
    const { layers, references } = this.options;
    return [...this.short, ...this.long]
      .filter(({ layer, order }) => layer <= temporalLayer && order >= this.oldest)
      .sort((a, b) => b.order - a.order)
      .slice(0, layers === 1 ? references : 1);
  }

  /** An index that is free, or the one that the peer was not heard to have. */
  private nextIndex(isIdr: boolean): number | null {
    const { longTerm } = this.options;
    if (longTerm === 0) {
      throw new RangeError('Long-term references must be configured (longTermReferences) before a picture is kept.');
    }
    if (isIdr || longTerm === 1) {
      return 0;
    }
    for (let index = 0; index < longTerm; index++) {
      if (!this.long.some(({ longTermIndex }) => longTermIndex === index)) {
        return index;
      }
    }
    return this.trusted === 0 ? 1 : 0;
  }

  private freePicture(isIdr: boolean): EncoderPicture {
    const inUse = new Set(isIdr ? [] : [...this.short, ...this.long].map(({ picture }) => picture));
    const target = this.pictures.find((picture) => !inUse.has(picture));
    if (target === undefined) {
      throw new Error('Broken invariant: no free picture for the reconstruction.');
    }
    return target;
  }

  /** Commands that put `list` first; none when it is the initial order (8.2.4.2.1). */
  private modificationFor(list: readonly Held[], frame_num: number): ListModification {
    const initial = [...this.short, ...this.long];
    if (list.every((entry, i) => entry === initial[i])) {
      return [];
    }
    let predicted = frame_num;
    return list.map(({ picture, longTermIndex }) => {
      if (longTermIndex !== null) {
        return { modification_of_pic_nums_idc: 2, value: longTermIndex };
      }
      const difference = this.distance(predicted, picture.frame_num);
      predicted = picture.frame_num;
      // A later picture than the predicted one is reached by going round (8-34).
      return { modification_of_pic_nums_idc: 0, value: difference - 1 };
    });
  }

  /** How far picture `to` lies before picture `from` in frame_num, 1..MaxFrameNum. */
  private distance(from: number, to: number): number {
    const { MaxFrameNum } = this.options;
    return (from - to + MaxFrameNum) % MaxFrameNum || MaxFrameNum;
  }

  private markingFor(isIdr: boolean, longTermIndex: number | null, frame_num: number): DecRefPicMarking {
    if (isIdr) {
      return { kind: 'idr', no_output_of_prior_pics_flag: false, long_term_reference_flag: longTermIndex !== null };
    }
    if (longTermIndex === null) {
      return { kind: 'sliding-window' };
    }
    const operations: MemoryManagementOperation[] = [
      { operation: 4, first: this.options.longTerm, second: 0 },
      { operation: 6, first: longTermIndex, second: 0 },
    ];
    const last = this.short[this.short.length - 1];
    if (this.isFull(longTermIndex)) {
      operations.unshift({ operation: 1, first: this.distance(frame_num, last.picture.frame_num) - 1, second: 0 });
    }
    return { kind: 'adaptive', operations };
  }

  /** Whether a further picture (under a long-term index, or short-term) has no room beside those held. */
  private isFull(longTermIndex: number | null): boolean {
    const { references, layers, longTerm } = this.options;
    const others = this.long.filter((held) => held.longTermIndex !== longTermIndex).length;
    return this.short.length > 0 && this.short.length + others + 1 > referencesKept(references, layers, longTerm);
  }

  /** The planned picture has been coded. */
  commit(plan: PicturePlan): void {
    this.isStarted = true;
    if (plan.isIdr) {
      this.short = [];
      this.long = [];
      this.trusted = -1;
      this.sinceIdr = 0;
      this.idrCount++;
    }
    if (plan.isFreshStart) {
      this.trusted = plan.isIdr ? -1 : this.indexOf(plan.references[0]);
      this.oldest = this.order;
    }
    if (plan.isIntra || plan.isFreshStart || plan.longTermIndex !== null) {
      this.sinceStart = 0;
    }
    this.sinceIdr++;
    this.sinceStart++;
    if (plan.isReference) {
      this.hold(plan);
      this.frame_num = (plan.frame_num + 1) % this.options.MaxFrameNum;
    } else {
      this.frame_num = (plan.isIdr ? 0 : plan.frame_num) % this.options.MaxFrameNum;
    }
    this.order++;
  }

  private indexOf(picture: EncoderPicture): number {
    return this.long.find((held) => held.picture === picture)?.longTermIndex ?? -1;
  }

  private hold(plan: PicturePlan): void {
    const { target, temporalLayer: layer, longTermIndex } = plan;
    target.frame_num = plan.frame_num;
    if (this.isFull(longTermIndex)) {
      this.short.pop();
    }
    const held: Held = { picture: target, layer, longTermIndex, order: this.order };
    if (longTermIndex === null) {
      this.short.unshift(held);
    } else {
      this.long = [...this.long.filter((other) => other.longTermIndex !== longTermIndex), held].sort(
        (a, b) => (a.longTermIndex ?? 0) - (b.longTermIndex ?? 0),
      );
    }
  }
}
