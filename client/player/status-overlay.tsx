// What lies over the picture when it is not simply playing: one clear sentence per state.

import type { PlaybackStatus } from '../media/decode-messages.ts';
import { Button } from '../ui/button.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import './status-overlay.css';

type StatusOverlayProps = {
  readonly status: PlaybackStatus;
  readonly hasPicture: boolean;
  /** The lower edge is taken. */
  readonly isOverControls: boolean;
  readonly onResume: () => void;
};

const TITLES: Readonly<Record<PlaybackStatus['kind'], string>> = {
  connecting: 'Connecting',
  waiting: 'Waiting for the stream',
  playing: '',
  paused: 'Paused',
  stalled: 'Waiting for the picture',
  reconnecting: 'Reconnecting',
  ended: 'The stream has ended',
  refused: 'This stream cannot be watched now',
  unsupported: 'This picture cannot be shown here',
};

const ICONS: Partial<Readonly<Record<PlaybackStatus['kind'], IconName>>> = {
  ended: 'check',
  refused: 'warning',
  unsupported: 'warning',
};

function sentenceOf(status: PlaybackStatus): string {
  switch (status.kind) {
    case 'connecting':
    case 'playing':
      return '';
    case 'paused':
      return 'The stream goes on meanwhile.';
    case 'ended':
      return 'It starts again here if the streamer returns.';
    case 'waiting':
    case 'stalled':
    case 'reconnecting':
    case 'refused':
    case 'unsupported':
      return status.sentence;
  }
}

/** Spinner or icon, title, sentence. */
export function StatusOverlay({ status, hasPicture, isOverControls, onResume }: StatusOverlayProps) {
  if (status.kind === 'playing') {
    return null;
  }
  const icon = ICONS[status.kind];
  const isSmall = hasPicture && (status.kind === 'stalled' || status.kind === 'connecting');
  const place = isSmall ? 'status status-small' : isOverControls ? 'status status-over-controls' : 'status';
  return (
    <div class={place} role="status" data-status={status.kind}>
      {icon !== undefined && <Icon name={icon} size={32} />}
      {icon === undefined && status.kind !== 'paused' && <span class="status-spinner" />}
      <p class="status-title">{TITLES[status.kind]}</p>
      {!isSmall && <p class="status-sentence">{sentenceOf(status)}</p>}
      {status.kind === 'paused' && (
        <Button kind="primary" onClick={onResume}>
          Back to live
        </Button>
      )}
    </div>
  );
}
