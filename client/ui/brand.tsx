// The name and the four tiles.

import './brand.css';

/** The product's mark, a link home. */
export function Brand() {
  return (
    <a class="brand" href="/" aria-label="Tessera, home">
      <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
        <rect x="3" y="3" width="12" height="12" rx="3" class="tile-1" />
        <rect x="17" y="3" width="12" height="12" rx="3" class="tile-2" />
        <rect x="3" y="17" width="12" height="12" rx="3" class="tile-3" />
        <path
          d="M20 17h5.200a3.800 3.800 0 0 1 3.300 5.700l-2.600 4.500A3.600 3.600 0 0 1 22.800 29H20a3 3 0 0 1-3-3v-6a3 3 0 0 1 3-3z"
          class="tile-4"
        />
      </svg>
      <span class="brand-name">Tessera</span>
    </a>
  );
}
