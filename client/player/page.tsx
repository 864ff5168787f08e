// Entry of /watch/STREAM.

import { AppBar } from '../ui/app-bar.tsx';
import { mount } from '../ui/mount.ts';
import { Notice } from '../ui/notice.tsx';
import { earlyWorker } from './early-worker.ts';
import { playerOptionsOf } from './page-options.ts';
import { WatchPage } from './watch-page.tsx';

const options = playerOptionsOf(location.pathname, new URLSearchParams(location.search));

if (options === null) {
  earlyWorker.terminate();
  mount(
    <>
      <AppBar here="/watch" />
      <Notice icon="link" title="This is not the address of a stream">
        <p>Addresses look like /watch/NAME, with letters, digits, dashes and underscores.</p>
      </Notice>
    </>,
  );
} else {
  document.title = `${options.stream} · Tessera`;
  mount(<WatchPage options={options} worker={earlyWorker} />);
}
