// Which pictures are IDR, which temporal layer each has, what it refers to and what is kept: the structure of the stream, without
// delay (no reordering). References are a sliding window (8.2.5.3). Called by H264Encoder once per frame.
//
// Layers (hierarchical P): 2 layers: 0 1 0 1 ...; 3 layers: 0 2 1 2 0 2 1 2 ... The top layer is not referenced (nal_ref_idc 0). A layer 0
// picture refers to the layer 0 picture before it, a layer 1 picture to the layer 0 picture before it, a layer 2
// picture to the picture before it, so that dropping upper layers removes no reference of what stays.

import type { ListModification } from '../syntax/ref-list-modification.ts';
import type { EncoderPicture } from './picture-store.ts';

/** How one picture is coded. */
export type PicturePlan = {
  readonly isIdr: boolean;
  readonly temporalLayer: number;
  readonly isReference: boolean;
  readonly frame_num: number;
  readonly idr_pic_id: number;
  /** Reference list 0, best first. */
  readonly references: readonly EncoderPicture[];
  /** ref_pic_list_modification commands that make that list. */
  readonly modification: ListModification;
  /** Where the reconstruction goes. */
  readonly target: EncoderPicture;
};

/** What decides the structure. */
export type GopOptions = {
  /** Pictures from IDR to IDR. */
  readonly keyint: number | 'infinite';
  readonly layers: number;
  /** Reference pictures that a P picture may use. */
  readonly references: number;
  readonly MaxFrameNum: number;
};

/** max_num_ref_frames for a number of references and layers: three layers keep the layer 0 picture behind the layer 1 picture. */
export function referencesKept(references: number, layers: number): number {
  return layers === 3 && references < 2 ? 2 : references;
}

const LAYER_PATTERNS = [[0], [0], [0, 1], [0, 2, 1, 2]];

/** The state of the structure. */
export class GopStructure {
  private readonly options: GopOptions;
  private readonly pictures: readonly EncoderPicture[];
  /** Short-term references, latest first, and the layer of each. */
  private held: { readonly picture: EncoderPicture; readonly layer: number }[] = [];
  private sinceIdr = 0;
  private idrCount = 0;
  private frame_num = 0;
  private isStarted = false;

  /** `pictures`: one more than the references that are kept. */
  constructor(options: GopOptions, pictures: readonly EncoderPicture[]) {
    this.options = options;
    this.pictures = pictures;
  }

  /** The plan of the next picture. Nothing changes until commit(). */
  plan(isKeyFrame: boolean): PicturePlan {
    const { keyint, layers, references } = this.options;
    const isDue = keyint !== 'infinite' && this.sinceIdr >= keyint;
    const isIdr = !this.isStarted || isKeyFrame || isDue;
    const pattern = LAYER_PATTERNS[layers];
    const temporalLayer = isIdr ? 0 : pattern[this.sinceIdr % pattern.length];
    const isReference = layers === 1 || temporalLayer < layers - 1;
    const usable = isIdr ? [] : this.held.filter(({ layer }) => layer <= temporalLayer);
    const list = usable.slice(0, layers === 1 ? references : 1);
    const inUse = new Set(isIdr ? [] : this.held.map(({ picture }) => picture));
    const target = this.pictures.find((picture) => !inUse.has(picture));
    if (target === undefined) {
      throw new Error('Broken invariant: no free picture for the reconstruction.');
    }
    const frame_num = isIdr ? 0 : this.frame_num;
    return {
      isIdr,
      temporalLayer,
      isReference,
      frame_num,
      idr_pic_id: this.idrCount & 1,
      references: list.map(({ picture }) => picture),
      modification: this.modificationFor(list, frame_num),
      target,
    };
  }

  /** Commands that put `list` first; none when it is the initial order (8.2.4.2.1). */
  private modificationFor(list: readonly { readonly picture: EncoderPicture }[], frame_num: number): ListModification {
    if (list.every((entry, i) => entry === this.held[i])) {
      return [];
    }
    const { MaxFrameNum } = this.options;
    let predicted = frame_num;
    return list.map(({ picture }) => {
      const difference = (predicted - picture.frame_num + MaxFrameNum) % MaxFrameNum;
      predicted = picture.frame_num;
      return { modification_of_pic_nums_idc: 0, value: difference - 1 };
    });
  }

  /** The planned picture has been coded. */
  commit(plan: PicturePlan): void {
    this.isStarted = true;
    if (plan.isIdr) {
      this.held = [];
      this.sinceIdr = 0;
      this.idrCount++;
    }
    this.sinceIdr++;
    if (plan.isReference) {
      plan.target.frame_num = plan.frame_num;
      this.held.unshift({ picture: plan.target, layer: plan.temporalLayer });
      const kept = referencesKept(this.options.references, this.options.layers);
      while (this.held.length > kept) {
        this.held.pop();
      }
      this.frame_num = (plan.frame_num + 1) % this.options.MaxFrameNum;
    } else {
      this.frame_num = (plan.isIdr ? 0 : plan.frame_num) % this.options.MaxFrameNum;
    }
  }
}
