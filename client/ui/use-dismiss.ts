// Closes what is open over the page: by Escape, or by pressing anywhere outside of it. The focus goes back to where it came from.

import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/** While `isOpen`, calls `onDismiss` on Escape and on a press outside of `element`. */
export function useDismiss(isOpen: boolean, element: RefObject<HTMLElement | null>, onDismiss: () => void): void {
  useEffect(() => {
    if (!isOpen) {
      return undefined;
    }
    const before = document.activeElement;
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        onDismiss();
        if (before instanceof HTMLElement) {
          before.focus();
        }
      }
    };
    const onPress = (event: PointerEvent) => {
      if (event.target instanceof Node && element.current?.contains(event.target) === false) {
        onDismiss();
      }
    };
    document.addEventListener('keydown', onKey, true);
    document.addEventListener('pointerdown', onPress, true);
    return () => {
      document.removeEventListener('keydown', onKey, true);
      document.removeEventListener('pointerdown', onPress, true);
    };
  }, [isOpen]);
}
