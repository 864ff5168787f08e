// The inspector without its controls: draws how the newest or the frozen picture was coded on a canvas over the player's. One per page.

import type { Picture } from '../media/picture.ts';
import { displaySize } from '../media/picture.ts';
import { Canvas2dRenderer } from '../render/renderer-2d.ts';
import { describeAt, drawInspection, type Layer } from './inspector-drawing.ts';
import { Freezer } from './inspector-freezer.ts';
import type { Player } from './player.ts';

/** What is on the overlay, and the stretch of pictures that a freeze keeps. */
export class InspectorStage {
  readonly #player: Player;
  readonly #overlay: HTMLCanvasElement;
  readonly #renderer: Canvas2dRenderer;
  readonly #freezer = new Freezer();
  #layers: ReadonlySet<Layer>;

  /** `still` shows the frozen picture, `overlay` lies above it. */
  constructor(
    player: Player,
    canvases: { overlay: HTMLCanvasElement; still: HTMLCanvasElement },
    layers: ReadonlySet<Layer>,
  ) {
    this.#player = player;
    this.#overlay = canvases.overlay;
    this.#renderer = Canvas2dRenderer.create(canvases.still);
    this.#layers = layers;
  }

  /** Follows the player; `onData` is called with each picture that says how it was coded. Returns the function that ends it. */
  follow(onData: () => void): () => void {
    return this.#player.onPainted(() => {
      const picture = this.#player.inspected();
      if (picture === null) {
        return;
      }
      onData();
      if (this.#freezer.isFrozen) {
        this.#freezer.push(picture);
      } else {
        this.#draw(picture);
      }
    });
  }

  showLayers(layers: ReadonlySet<Layer>): void {
    this.#layers = layers;
    const picture = this.#current();
    if (picture !== null) {
      this.#draw(picture);
    }
  }

  /** Freezes, or goes on; returns whether it is frozen now. */
  toggleFrozen(): boolean {
    const picture = this.#player.inspected();
    if (this.#freezer.isFrozen) {
      this.#freezer.thaw();
    } else if (picture !== null) {
      this.#freezer.freeze(picture);
      this.#show();
    }
    return this.#freezer.isFrozen;
  }

  /** The next picture of those kept since the freeze. */
  step(): void {
    if (this.#freezer.step()) {
      this.#show();
    }
  }

  /** The macroblock under a point of the page, in words. */
  readoutAt(clientX: number, clientY: number): string {
    const picture = this.#current();
    if (picture?.inspection === undefined) {
      return '';
    }
    const box = this.#overlay.getBoundingClientRect();
    const x = ((clientX - box.left) / box.width) * picture.width;
    const y = ((clientY - box.top) / box.height) * picture.height;
    return describeAt(picture.inspection, x, y) ?? '';
  }

  #current(): Picture | null {
    return this.#freezer.shown ?? this.#player.inspected();
  }

  #show(): void {
    const picture = this.#freezer.shown;
    if (picture !== null) {
      this.#renderer.draw(picture);
      this.#draw(picture);
    }
  }

  #draw(picture: Picture): void {
    const context = this.#overlay.getContext('2d');
    if (context === null || picture.inspection === undefined) {
      return;
    }
    const size = displaySize(picture);
    if (this.#overlay.width !== size.width || this.#overlay.height !== size.height) {
      this.#overlay.width = size.width;
      this.#overlay.height = size.height;
    }
    context.setTransform(size.width / picture.width, 0, 0, size.height / picture.height, 0, 0);
    drawInspection(context, picture.inspection, this.#layers);
    this.#overlay.dataset['ptsUs'] = String(picture.ptsUs);
  }
}
