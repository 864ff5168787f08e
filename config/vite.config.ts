// Builds the pages into dist/pages: home.html, player.html, studio.html, console.html and hashed files under assets/.
// Nothing is inlined, neither script nor style nor data URL, so that the server can send a strict Content-Security-Policy.

import { fileURLToPath } from 'node:url';
import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

const clientRoot = fileURLToPath(new URL('../client/', import.meta.url));
const pages = ['home', 'player', 'studio', 'console'];

export default defineConfig({
  root: clientRoot,
  base: '/',
  plugins: [preact({ devToolsEnabled: false, prefreshEnabled: false })],
  worker: { format: 'es' },
  build: {
    outDir: fileURLToPath(new URL('../dist/pages/', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: true,
    rolldownOptions: {
      input: Object.fromEntries(pages.map((page) => [page, `${clientRoot}${page}.html`])),
    },
  },
});
