// Builds the pages into dist/pages: home.html, player.html, studio.html, console.html and hashed files under assets/.
// Nothing is inlined, neither script nor style nor data URL, so that the server can send a strict Content-Security-Policy.

import { fileURLToPath } from 'node:url';
import preact from '@preact/preset-vite';
import { defineConfig, type Plugin } from 'vite';

const clientRoot = fileURLToPath(new URL('../client/', import.meta.url));
const pages = ['home', 'player', 'studio', 'console', 'not-found'];
const EARLY = 'early-worker';

/** Lets the player page run the start of its worker at once, and not only when everything that the page imports is there. */
function runEarly(): Plugin {
  return {
    name: 'run-early',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle = {}, filename }) {
        const chunk = Object.values(bundle).find(
          (file) => file.type === 'chunk' && file.isEntry && file.name === EARLY,
        );
        if (chunk === undefined || !filename.endsWith('player.html')) {
          return [];
        }
        const attrs = { type: 'module', async: true, crossorigin: true, src: `/${chunk.fileName}` };
        return [{ tag: 'script', attrs, injectTo: 'head-prepend' }];
      },
    },
  };
}

export default defineConfig({
  root: clientRoot,
  base: '/',
  plugins: [preact({ devToolsEnabled: false, prefreshEnabled: false }), runEarly()],
  worker: { format: 'es' },
  build: {
    outDir: fileURLToPath(new URL('../dist/pages/', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: true,
    rolldownOptions: {
      input: {
        ...Object.fromEntries(pages.map((page) => [page, `${clientRoot}${page}.html`])),
        [EARLY]: `${clientRoot}player/${EARLY}.ts`,
      },
    },
  },
});
