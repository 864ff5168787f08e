// Builds the player for other people's pages into dist/player: one module, its workers and worklet beside it, no package needed.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('../client/', import.meta.url)),
  base: './',
  worker: { format: 'es' },
  build: {
    outDir: fileURLToPath(new URL('../dist/player/', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    sourcemap: true,
    lib: {
      entry: fileURLToPath(new URL('../client/player/index.ts', import.meta.url)),
      formats: ['es'],
      fileName: () => 'player.js',
    },
  },
});
