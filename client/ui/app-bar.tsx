// The bar on top of every page: mark, what the page is about, and the way to the other pages.

import type { ComponentChildren } from 'preact';
import { Brand } from './brand.tsx';
import './app-bar.css';

const PAGES = [
  { name: 'Live', href: '/' },
  { name: 'Studio', href: '/studio' },
  { name: 'Console', href: '/console' },
] as const;

type AppBarProps = {
  /** The page's own address, to mark it. */
  readonly here: string;
  readonly children?: ComponentChildren;
};

/** Page header with navigation; children stand beside the mark. */
export function AppBar({ here, children }: AppBarProps) {
  return (
    <header class="app-bar">
      <Brand />
      <div class="app-bar-title">{children}</div>
      <nav class="app-bar-pages" aria-label="Pages">
        {PAGES.map((page) => (
          <a key={page.href} href={page.href} aria-current={page.href === here ? 'page' : undefined}>
            {page.name}
          </a>
        ))}
      </nav>
    </header>
  );
}
