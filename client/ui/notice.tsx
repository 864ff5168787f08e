// A quiet block with a heading and a sentence, for empty lists and refusals.

import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';
import './notice.css';

type NoticeProps = { readonly icon: IconName; readonly title: string; readonly children?: ComponentChildren };

/** One notice. */
export function Notice({ icon, title, children }: NoticeProps) {
  return (
    <section class="notice">
      <span class="notice-icon">
        <Icon name={icon} size={26} />
      </span>
      <h2>{title}</h2>
      <div class="notice-text">{children}</div>
    </section>
  );
}
