// The pages' icons: strokes on a 24 x 24 grid, coloured by the text around them.

import './icon.css';

const PATHS = {
  play: 'M8 5.5v13l10.5-6.5z',
  pause: 'M8.500 5.500v13 M15.500 5.500v13',
  sound: 'M4 9.500v5h3.500L12 18.500v-13L7.500 9.500z M15.500 9a4 4 0 0 1 0 6 M18 6.500a7.500 7.500 0 0 1 0 11',
  muted: 'M4 9.500v5h3.500L12 18.500v-13L7.500 9.500z M16 9.500l5 5 M21 9.500l-5 5',
  expand: 'M4.500 9.500v-5h5 M14.500 4.500h5v5 M19.500 14.500v5h-5 M9.500 19.500h-5v-5',
  shrink: 'M9.500 4.500v5h-5 M19.500 9.500h-5v-5 M14.500 19.500v-5h5 M4.500 14.500h5v5',
  statistics: 'M4.500 19.500h15 M7 16v-5 M12 16V5.500 M17 16v-8',
  sliders: 'M4.500 7h9 M17.500 7h2 M4.500 17h2 M10.500 17h9 M15.500 5v4 M8.500 15v4',
  camera: 'M4 7.500h10.500v9H4z M14.500 11l5.500-3v8l-5.500-3',
  screen: 'M3.500 5h17v11h-17z M9 19.500h6 M12 16v3.500',
  microphone:
    'M12 4a2.500 2.500 0 0 1 2.500 2.500v5a2.500 2.500 0 0 1-5 0v-5A2.500 2.500 0 0 1 12 4z M6.500 11.500a5.500 5.500 0 0 0 11 0 M12 17v3',
  viewers:
    'M2.500 12s3.500-6 9.500-6 9.500 6 9.500 6-3.500 6-9.500 6-9.500-6-9.500-6z M12 9.500a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5z',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  chevron: 'M9 6l6 6-6 6',
  warning: 'M12 4.500l8.500 15h-17z M12 10v4.500 M12 17v.2',
  clock: 'M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16z M12 8v4.500l3 2',
  broadcast:
    'M12 10a2 2 0 1 1 0 4 2 2 0 0 1 0-4z M8 8a5.600 5.600 0 0 0 0 8 M16 8a5.600 5.600 0 0 1 0 8 M5.200 5.200a9.600 9.600 0 0 0 0 13.600 M18.800 5.200a9.600 9.600 0 0 1 0 13.600',
  copy: 'M8.500 8.500h11v11h-11z M15.500 8.500v-4h-11v11h4',
  link: 'M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1 M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1-1',
} as const;

/** Names of the icons that exist. */
export type IconName = keyof typeof PATHS;

/** One icon; decorative, the control around it has the name. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }) {
  const isSolid = name === 'play';
  return (
    <svg class={isSolid ? 'icon icon-solid' : 'icon'} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
