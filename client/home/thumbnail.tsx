// A small picture of a stream, drawn from its newest key picture and renewed while the card is on the screen.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Canvas2dRenderer } from '../render/renderer-2d.ts';
import { fetchThumbnail } from './thumbnail-source.ts';
import './thumbnail.css';

const RENEW_MS = 20_000;

/** One canvas; empty until the first picture. */
export function Thumbnail({ stream }: { readonly stream: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hasPicture, setHasPicture] = useState(false);
  useEffect(() => {
    const target = canvas.current;
    if (target === null) {
      return undefined;
    }
    const renderer = Canvas2dRenderer.create(target);
    let isOnScreen = false;
    let lastAt = Number.NEGATIVE_INFINITY;
    const renew = async () => {
      if (!isOnScreen || document.visibilityState === 'hidden' || performance.now() - lastAt < RENEW_MS) {
        return;
      }
      lastAt = performance.now();
      const picture = await fetchThumbnail(stream);
      if (picture !== null) {
        renderer.draw(picture);
        setHasPicture(true);
      }
    };
    const observer = new IntersectionObserver(([entry]) => {
      isOnScreen = entry?.isIntersecting ?? false;
      void renew();
    });
    observer.observe(target);
    const timer = setInterval(() => void renew(), 2000);
    return () => {
      observer.disconnect();
      clearInterval(timer);
    };
  }, [stream]);
  return <canvas ref={canvas} class={hasPicture ? 'thumbnail thumbnail-on' : 'thumbnail'} aria-hidden="true" />;
}
