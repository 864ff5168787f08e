// Entry of every address that leads nowhere.

import { AppBar } from '../ui/app-bar.tsx';
import { mount } from '../ui/mount.ts';
import { Notice } from '../ui/notice.tsx';

mount(
  <>
    <AppBar here="" />
    <main>
      <Notice icon="broadcast" title="There is nothing here">
        <p>
          <a href="/">What is live now</a> is on the front page.
        </p>
      </Notice>
    </main>
  </>,
);
