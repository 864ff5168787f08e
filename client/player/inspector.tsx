// The inspector (`?inspect`): how the picture was coded, drawn over the live picture, with freeze and step. Works with our own decoder
// (`?decoder=wasm`), which is the one that can tell.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Canvas2dRenderer } from '../render/renderer-2d.ts';
import { displaySize, type Picture } from '../media/picture.ts';
import { Button } from '../ui/button.tsx';
import { describeAt, drawInspection, KINDS, LAYERS, type Layer } from './inspector-drawing.ts';
import { Freezer } from './inspector-freezer.ts';
import type { Player } from './player.ts';
import './inspector.css';

const LAYER_NAMES: Readonly<Record<Layer, string>> = { types: 'Types', qp: 'QP', vectors: 'Vectors' };

type Parts = {
  readonly freezer: Freezer;
  readonly renderer: Canvas2dRenderer;
  readonly overlay: HTMLCanvasElement;
  layers: ReadonlySet<Layer>;
};

function drawOverlay({ overlay, layers }: Parts, picture: Picture): void {
  const context = overlay.getContext('2d');
  if (context === null || picture.inspection === undefined) {
    return;
  }
  const size = displaySize(picture);
  if (overlay.width !== size.width || overlay.height !== size.height) {
    overlay.width = size.width;
    overlay.height = size.height;
  }
  context.setTransform(size.width / picture.width, 0, 0, size.height / picture.height, 0, 0);
  drawInspection(context, picture.inspection, layers);
  overlay.dataset['ptsUs'] = String(picture.ptsUs);
}

/** Lies over the stage's picture. */
export function Inspector({ player, aspect }: { readonly player: Player; readonly aspect: number }) {
  const overlay = useRef<HTMLCanvasElement>(null);
  const still = useRef<HTMLCanvasElement>(null);
  const parts = useRef<Parts | null>(null);
  const [layers, setLayers] = useState<ReadonlySet<Layer>>(new Set<Layer>(['types', 'vectors']));
  const [isFrozen, setFrozen] = useState(false);
  const [readout, setReadout] = useState('');
  const [hasData, setHasData] = useState(false);

  useEffect(() => {
    if (overlay.current === null || still.current === null) {
      return undefined;
    }
    const made: Parts = {
      freezer: new Freezer(),
      renderer: Canvas2dRenderer.create(still.current),
      overlay: overlay.current,
      layers,
    };
    parts.current = made;
    return player.onPainted(() => {
      const picture = player.inspected();
      if (picture === null) {
        return;
      }
      setHasData(true);
      if (made.freezer.isFrozen) {
        made.freezer.push(picture);
      } else {
        drawOverlay(made, picture);
      }
    });
  }, []);

  function show(picture: Picture | null): void {
    if (parts.current !== null && picture !== null) {
      parts.current.renderer.draw(picture);
      drawOverlay(parts.current, picture);
    }
  }

  function toggleLayer(layer: Layer): void {
    const chosen = new Set(layers);
    if (!chosen.delete(layer)) {
      chosen.add(layer);
    }
    setLayers(chosen);
    if (parts.current !== null) {
      parts.current.layers = chosen;
      const picture = parts.current.freezer.shown ?? player.inspected();
      if (picture !== null) {
        drawOverlay(parts.current, picture);
      }
    }
  }

  function toggleFrozen(): void {
    const freezer = parts.current?.freezer;
    const picture = player.inspected();
    if (freezer?.isFrozen === true) {
      freezer.thaw();
      setFrozen(false);
    } else if (freezer !== undefined && picture !== null) {
      freezer.freeze(picture);
      setFrozen(true);
      show(freezer.shown);
    }
  }

  function step(): void {
    if (parts.current?.freezer.step() === true) {
      show(parts.current.freezer.shown);
    }
  }

  function point(event: PointerEvent): void {
    const canvas = overlay.current;
    const picture = parts.current?.freezer.shown ?? player.inspected();
    if (canvas === null || picture?.inspection === undefined) {
      return;
    }
    const box = canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * picture.width;
    const y = ((event.clientY - box.top) / box.height) * picture.height;
    setReadout(describeAt(picture.inspection, x, y) ?? '');
  }

  const shape = { '--aspect': String(aspect) };
  return (
    <div class="inspector">
      <canvas class="inspector-layer" ref={still} style={{ ...shape, visibility: isFrozen ? 'visible' : 'hidden' }} />
      <canvas
        class="inspector-layer"
        id="inspector"
        ref={overlay}
        style={{ ...shape, pointerEvents: 'auto' }}
        onPointerMove={point}
      />
      <div class="inspector-panel">
        {LAYERS.map((layer) => (
          <label key={layer}>
            <input type="checkbox" checked={layers.has(layer)} onChange={() => toggleLayer(layer)} />{' '}
            {LAYER_NAMES[layer]}
          </label>
        ))}
        <Button onClick={toggleFrozen} isDisabled={!hasData}>
          {isFrozen ? 'Go on' : 'Freeze'}
        </Button>
        <Button onClick={step} isDisabled={!isFrozen}>
          Step
        </Button>
        {layers.has('types') &&
          KINDS.map(({ name, colour }) => (
            <span key={name} class="inspector-legend">
              <span class="inspector-swatch" style={{ background: `rgb(${colour})` }} />
              {name}
            </span>
          ))}
        <span class="inspector-readout">
          {hasData ? readout : 'The inspector needs our own decoder: add decoder=wasm to the address.'}
        </span>
      </div>
    </div>
  );
}
