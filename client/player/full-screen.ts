// Full screen of one element, and whether it is on. Where the browser has none for this element (iPhones give it only to videos), the
// element fills the page instead.

import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export type FullScreen = {
  readonly isOn: boolean;
  /** The element is to be drawn over the whole page: there is no real full screen here. */
  readonly fillsPage: boolean;
  readonly toggle: () => void;
};

/** One element's full screen. */
export function useFullScreen(element: RefObject<HTMLElement | null>): FullScreen {
  const [isReal, setReal] = useState(false);
  const [fillsPage, setFillsPage] = useState(false);
  useEffect(() => {
    const onChange = () => setReal(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', onChange);
    return () => document.removeEventListener('fullscreenchange', onChange);
  }, []);
  const toggle = () => {
    if (document.fullscreenElement !== null) {
      void document.exitFullscreen();
    } else if (fillsPage) {
      setFillsPage(false);
    } else if (!document.fullscreenEnabled) {
      setFillsPage(true);
    } else {
      element.current?.requestFullscreen({ navigationUI: 'hide' }).catch(() => setFillsPage(true));
    }
  };
  return { isOn: isReal || fillsPage, fillsPage, toggle };
}
