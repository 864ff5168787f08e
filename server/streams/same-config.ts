// Whether two announcements of a track say the same.

import type { TrackConfig } from '../../shared/media/access-unit.ts';

function isSameBytes(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) {
    return one === other;
  }
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** Compares every field, the description byte by byte. */
export function isSameConfig(one: TrackConfig, other: TrackConfig): boolean {
  const { description: oneBytes, ...oneRest } = one;
  const { description: otherBytes, ...otherRest } = other;
  const sorted = (value: object): string => JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  return isSameBytes(oneBytes, otherBytes) && sorted(oneRest) === sorted(otherRest);
}
