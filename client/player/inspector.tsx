// The inspector (`?inspect`): how the picture was coded, drawn over the live picture, with freeze and step. Works with our own decoder
// (`?decoder=wasm`), which is the one that can tell.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { KINDS, LAYERS, type Layer } from './inspector-drawing.ts';
import { InspectorStage } from './inspector-stage.ts';
import type { Player } from './player.ts';
import './inspector.css';

const LAYER_NAMES: Readonly<Record<Layer, string>> = { types: 'Types', qp: 'QP', vectors: 'Vectors' };

type PanelProps = {
  readonly layers: ReadonlySet<Layer>;
  readonly isFrozen: boolean;
  readonly hasData: boolean;
  readonly readout: string;
  readonly onLayer: (layer: Layer) => void;
  readonly onFreeze: () => void;
  readonly onStep: () => void;
};

/** The controls, the legend and what the pointer is on. */
function InspectorPanel({ layers, isFrozen, hasData, readout, onLayer, onFreeze, onStep }: PanelProps) {
  return (
    <div class="inspector-panel">
      {LAYERS.map((layer) => (
        <label key={layer}>
          <input type="checkbox" checked={layers.has(layer)} onChange={() => onLayer(layer)} /> {LAYER_NAMES[layer]}
        </label>
      ))}
      <Button onClick={onFreeze} isDisabled={!hasData}>
        {isFrozen ? 'Go on' : 'Freeze'}
      </Button>
      <Button onClick={onStep} isDisabled={!isFrozen}>
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
  );
}

/** Lies over the stage's picture. */
export function Inspector({ player, aspect }: { readonly player: Player; readonly aspect: number }) {
  const overlay = useRef<HTMLCanvasElement>(null);
  const still = useRef<HTMLCanvasElement>(null);
  const stage = useRef<InspectorStage | null>(null);
  const [layers, setLayers] = useState<ReadonlySet<Layer>>(new Set<Layer>(['types', 'vectors']));
  const [isFrozen, setFrozen] = useState(false);
  const [readout, setReadout] = useState('');
  const [hasData, setHasData] = useState(false);

  useEffect(() => {
    if (overlay.current === null || still.current === null) {
      return undefined;
    }
    stage.current = new InspectorStage(player, { overlay: overlay.current, still: still.current }, layers);
    return stage.current.follow(() => setHasData(true));
  }, []);

  function toggleLayer(layer: Layer): void {
    const chosen = new Set(layers);
    if (!chosen.delete(layer)) {
      chosen.add(layer);
    }
    setLayers(chosen);
    stage.current?.showLayers(chosen);
  }

  const shape = { '--aspect': String(aspect) };
  return (
    <>
      <div class="inspector">
        <canvas class="inspector-layer" ref={still} style={{ ...shape, visibility: isFrozen ? 'visible' : 'hidden' }} />
        <canvas
          class="inspector-layer"
          id="inspector"
          ref={overlay}
          style={{ ...shape, pointerEvents: 'auto' }}
          onPointerMove={({ clientX, clientY }: PointerEvent) =>
            setReadout(stage.current?.readoutAt(clientX, clientY) ?? '')
          }
        />
      </div>
      <InspectorPanel
        {...{ layers, isFrozen, hasData, readout }}
        onLayer={toggleLayer}
        onFreeze={() => setFrozen(stage.current?.toggleFrozen() ?? false)}
        onStep={() => stage.current?.step()}
      />
    </>
  );
}
