// The button that starts and ends the broadcast, and the address for viewers.

import { useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { isOnAir, streamProblem, type StudioState } from './studio-state.ts';
import './go-live.css';

type GoLiveProps = { readonly state: StudioState; readonly onStart: () => void; readonly onEnd: () => void };

function WatchAddress({ stream }: { readonly stream: string }) {
  const [isCopied, setCopied] = useState(false);
  const address = `${location.origin}/watch/${stream}`;
  const copy = () => {
    void navigator.clipboard.writeText(address).then(() => setCopied(true));
  };
  return (
    <div class="watch-address">
      <a href={address} target="_blank" rel="noreferrer">
        {address}
      </a>
      <button type="button" aria-label="Copy the address" title={isCopied ? 'Copied' : 'Copy'} onClick={copy}>
        <Icon name={isCopied ? 'check' : 'copy'} size={18} />
      </button>
    </div>
  );
}

/** Start, or address and end. */
export function GoLive({ state, onStart, onEnd }: GoLiveProps) {
  const { settings, status } = state;
  if (isOnAir(state)) {
    return (
      <div class="go-live">
        {status.kind === 'reconnecting' && <p class="go-live-note">{status.sentence}</p>}
        <WatchAddress stream={settings.stream} />
        <Button kind="danger" onClick={onEnd}>
          End the stream
        </Button>
      </div>
    );
  }
  return (
    <div class="go-live">
      <Button
        kind="primary"
        onClick={onStart}
        isDisabled={streamProblem(settings.stream) !== null || settings.key === ''}
      >
        <Icon name="broadcast" /> Go live
      </Button>
      {settings.key === '' && <p class="go-live-note">Enter the key of this server to go live.</p>}
    </div>
  );
}
