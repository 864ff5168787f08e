// Draws a page's root component into the document.

import { render, type ComponentChild } from 'preact';
import './tokens.css';
import './base.css';

/** Called once by each page. */
export function mount(page: ComponentChild): void {
  const root = document.getElementById('page');
  if (root !== null) {
    render(page, root);
  }
}
