// Tells when the viewer has not moved for a while, so that controls can leave the picture.

import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const IDLE_AFTER_MS = 2600;

/** True after 2.6 s without pointer or key over the element. */
export function useIdle(element: RefObject<HTMLElement | null>): boolean {
  const [isIdle, setIdle] = useState(false);
  useEffect(() => {
    const target = element.current;
    if (target === null) {
      return undefined;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wake = () => {
      setIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => setIdle(true), IDLE_AFTER_MS);
    };
    const events = ['pointermove', 'pointerdown', 'focusin'] as const;
    events.forEach((name) => target.addEventListener(name, wake));
    document.addEventListener('keydown', wake);
    wake();
    return () => {
      clearTimeout(timer);
      events.forEach((name) => target.removeEventListener(name, wake));
      document.removeEventListener('keydown', wake);
    };
  }, []);
  return isIdle;
}
