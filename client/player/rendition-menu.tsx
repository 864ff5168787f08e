// The menu of renditions: what is on, what else there is, and who encodes each.

import { useEffect, useRef } from 'preact/hooks';
import type { RenditionInfo } from '../../shared/protocol/viewer-messages.ts';
import type { RenditionMenu as Menu } from '../media/decode-messages.ts';
import { formatBitrate, formatRate } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { useDismiss } from '../ui/use-dismiss.ts';
import './rendition-menu.css';

type RenditionMenuProps = {
  readonly menu: Menu;
  /** Name of the rendition on the canvas. */
  readonly playing: string | null;
  readonly isOpen: boolean;
  readonly onToggle: (isOpen: boolean) => void;
  readonly onSelect: (rendition: string) => void;
};

function nameOf(rendition: string): string {
  return rendition === 'source' ? 'Source' : rendition;
}

function detailOf(rendition: RenditionInfo): string {
  const encoder = rendition.encoder === 'tessera' ? 'encoded by Tessera' : 'as the streamer sends it';
  const numbers = [
    rendition.height > 0 ? `${rendition.width} × ${rendition.height}` : '',
    rendition.fps > 0 ? `${formatRate(rendition.fps)} fps` : '',
    rendition.kbps > 0 ? formatBitrate(rendition.kbps) : '',
  ].filter((part) => part !== '');
  return [...numbers, encoder].join(', ');
}

type ItemProps = {
  readonly title: string;
  readonly detail: string;
  readonly isChosen: boolean;
  readonly onSelect: () => void;
};

function Item({ title, detail, isChosen, onSelect }: ItemProps) {
  return (
    <button class="menu-item" type="button" role="menuitemradio" aria-checked={isChosen} onClick={onSelect}>
      <span class="menu-check">{isChosen && <Icon name="check" size={18} />}</span>
      <span>
        <span class="menu-title">{title}</span>
        <span class="menu-detail">{detail}</span>
      </span>
    </button>
  );
}

/** Up and down go through the items of an open menu, round and round. */
function moveFocus(event: KeyboardEvent, menu: HTMLElement): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step !== 0) {
    event.preventDefault();
    const items = [...menu.querySelectorAll<HTMLElement>('[role="menuitemradio"]')];
    const at = items.findIndex((item) => item === document.activeElement);
    items[(at + step + items.length) % items.length]?.focus();
  }
}

/** Button and menu. */
export function RenditionMenu({ menu, playing, isOpen, onToggle, onSelect }: RenditionMenuProps) {
  const label = playing === null ? 'Quality' : nameOf(playing);
  const place = useRef<HTMLDivElement>(null);
  useDismiss(isOpen, place, () => onToggle(false));
  useEffect(() => {
    if (isOpen) {
      place.current?.querySelector<HTMLElement>('[aria-checked="true"]')?.focus();
    }
  }, [isOpen]);
  return (
    <div class="rendition" ref={place}>
      <button
        class="rendition-button"
        type="button"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-label={`Quality: ${label}`}
        onClick={() => onToggle(!isOpen)}
      >
        <Icon name="sliders" size={18} /> {label}
      </button>
      {isOpen && (
        <div
          class="rendition-menu"
          role="menu"
          aria-label="Quality"
          onKeyDown={(event) => moveFocus(event, event.currentTarget)}
        >
          <Item
            title="Auto"
            detail={playing === null ? 'the best that Tessera encodes' : `now ${nameOf(playing)}`}
            isChosen={menu.current === 'auto'}
            onSelect={() => onSelect('auto')}
          />
          {menu.renditions.map((rendition) => (
            <Item
              key={rendition.name}
              title={nameOf(rendition.name)}
              detail={detailOf(rendition)}
              isChosen={menu.current === rendition.name}
              onSelect={() => onSelect(rendition.name)}
            />
          ))}
          {menu.reason !== null && <p class="menu-reason">{menu.reason}</p>}
        </div>
      )}
    </div>
  );
}
