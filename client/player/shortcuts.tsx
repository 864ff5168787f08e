// The list of the player's keys, over the picture.

import { useRef } from 'preact/hooks';
import { useDismiss } from '../ui/use-dismiss.ts';
import { SHORTCUTS } from './keyboard.ts';
import './shortcuts.css';

/** Opened and closed by the question mark. */
export function Shortcuts({ onClose }: { readonly onClose: () => void }) {
  const panel = useRef<HTMLDivElement>(null);
  useDismiss(true, panel, onClose);
  return (
    <div class="shortcuts" role="dialog" aria-label="Keys" ref={panel}>
      <h2>Keys</h2>
      <dl>
        {SHORTCUTS.map(({ keys, does }) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
