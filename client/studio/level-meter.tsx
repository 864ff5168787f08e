// How loud the microphone is: a bar that moves with the sound, and a word when there is none.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../ui/icon.tsx';
import { meterShare } from './loudness.ts';
import './level-meter.css';

const EVERY_MS = 66;

/** Watches the sound of what is captured. */
export function LevelMeter({ capture }: { readonly capture: MediaStream }) {
  const bar = useRef<HTMLMeterElement>(null);
  const [hasSound] = useState(() => capture.getAudioTracks().length > 0);
  useEffect(() => {
    if (!hasSound) {
      return undefined;
    }
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 2048 });
    context.createMediaStreamSource(capture).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      if (bar.current !== null) {
        bar.current.value = meterShare(samples);
      }
    }, EVERY_MS);
    return () => {
      clearInterval(timer);
      void context.close();
    };
  }, [capture]);
  return (
    <span class="level">
      <Icon name="microphone" size={18} />
      {hasSound ? <meter ref={bar} min={0} max={1} high={0.93} aria-label="Loudness" /> : <span>No sound</span>}
    </span>
  );
}
