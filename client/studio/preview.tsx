// What the camera or the screen shows, and the choice between them.

import { useEffect, useRef } from 'preact/hooks';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { LevelMeter } from './level-meter.tsx';
import type { PictureSource, StudioState } from './studio-state.ts';
import './preview.css';

const SOURCES: readonly { readonly source: PictureSource; readonly name: string; readonly icon: IconName }[] = [
  { source: 'camera', name: 'Camera', icon: 'camera' },
  { source: 'screen', name: 'Screen', icon: 'screen' },
];

type PreviewProps = {
  readonly state: StudioState;
  readonly onOpen: () => void;
  readonly onSource: (source: PictureSource) => void;
};

function OnAir({ state }: { readonly state: StudioState }) {
  switch (state.status.kind) {
    case 'live':
      return <Badge tone="live">ON AIR</Badge>;
    case 'connecting':
      return <Badge tone="plain">Connecting</Badge>;
    case 'reconnecting':
      return <Badge tone="ok">Reconnecting</Badge>;
    case 'off':
    case 'ended':
    case 'refused':
      return null;
  }
}

/** Preview picture with its source buttons. */
export function Preview({ state, onOpen, onSource }: PreviewProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current !== null) {
      video.current.srcObject = state.preview;
    }
  }, [state.preview]);
  return (
    <section class="preview">
      <div class="preview-stage">
        <video ref={video} autoplay muted playsInline hidden={state.preview === null} />
        {state.preview === null && (
          <div class="preview-empty">
            <Icon name="camera" size={36} />
            <p>Nothing is captured yet.</p>
            <Button kind="primary" onClick={onOpen}>
              Turn on the camera
            </Button>
          </div>
        )}
        <span class="preview-state">
          <OnAir state={state} />
        </span>
      </div>
      <div class="preview-sources" role="group" aria-label="Picture from">
        {SOURCES.map(({ source, name, icon }) => (
          <button
            key={source}
            type="button"
            aria-pressed={state.preview !== null && state.settings.source === source}
            onClick={() => onSource(source)}
          >
            <Icon name={icon} /> {name}
          </button>
        ))}
        {state.preview !== null && <LevelMeter key={state.preview.id} capture={state.preview} />}
      </div>
    </section>
  );
}
