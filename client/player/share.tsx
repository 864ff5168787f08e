// How to pass the stream on: its address, the code that puts the player into another page, and the phone's own sharing.

import { useRef, useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { CopyLine } from '../ui/copy-line.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { useDismiss } from '../ui/use-dismiss.ts';
import './share.css';

/** What an embedding page needs; the player fills the frame. */
function embedCode(origin: string, stream: string): string {
  return `<iframe src="${origin}/watch/${stream}?embed=1" width="640" height="360" allow="autoplay; fullscreen" title="${stream}"></iframe>`;
}

/** Button and panel. */
export function Share({ stream }: { readonly stream: string }) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useDismiss(isOpen, place, () => setOpen(false));
  const address = `${location.origin}/watch/${stream}`;
  const canShare = 'share' in navigator && matchMedia('(pointer: coarse)').matches;
  return (
    <div class="share" ref={place}>
      <IconButton icon="link" label="Share" isExpanded={isOpen} onClick={() => setOpen(!isOpen)} />
      {isOpen && (
        <div class="share-panel" role="dialog" aria-label="Share">
          <h2>Share this stream</h2>
          <CopyLine label="Address of the stream" text={address} />
          <CopyLine label="Code for another page" text={embedCode(location.origin, stream)} />
          <p>Other sites may show the player when the server lists them in http.allowedOrigins.</p>
          {canShare && (
            <Button
              kind="primary"
              onClick={() => void navigator.share({ title: stream, url: address }).catch(() => undefined)}
            >
              Send the link
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
