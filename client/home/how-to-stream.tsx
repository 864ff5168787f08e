// Three ways to put a stream on this server.

import { useEffect, useState } from 'preact/hooks';
import { getRtmpPort } from '../ui/api.ts';
import { Icon, type IconName } from '../ui/icon.tsx';
import './how-to-stream.css';

/** Of RTMP; addresses need not name it. */
const STANDARD_PORT = 1935;

type Way = {
  readonly icon: IconName;
  readonly title: string;
  readonly lines: readonly string[];
  readonly href?: string;
};

const STUDIO: Way = {
  icon: 'camera',
  title: 'This browser',
  lines: ['Camera, screen and microphone', 'from the studio'],
  href: '/studio',
};

function ways(host: string, rtmpPort: number): readonly Way[] {
  const server = `rtmp://${host}${rtmpPort === STANDARD_PORT ? '' : `:${rtmpPort}`}/live`;
  return [
    { icon: 'broadcast', title: 'OBS', lines: [`Server  ${server}`, 'Stream key  NAME?key=KEY'] },
    STUDIO,
    { icon: 'chevron', title: 'ffmpeg', lines: ['ffmpeg -re -i FILE -c copy -f flv', `${server}/NAME?key=KEY`] },
  ];
}

/** The section under the list. Where RTMP is off, only the studio is left. */
export function HowToStream() {
  const [rtmpPort, setRtmpPort] = useState<number | null>(STANDARD_PORT);
  useEffect(() => {
    getRtmpPort().then(setRtmpPort, () => undefined); // that the server is away is told above
  }, []);
  return (
    <section class="how">
      <h2>Go live</h2>
      <div class="how-ways">
        {(rtmpPort === null ? [STUDIO] : ways(location.hostname, rtmpPort)).map((way) => {
          const content = (
            <>
              <span class="how-icon">
                <Icon name={way.icon} />
              </span>
              <span>
                <strong>{way.title}</strong>
                {way.lines.map((line) =>
                  way.href === undefined ? <code key={line}>{line}</code> : <span key={line}>{line}</span>,
                )}
              </span>
            </>
          );
          return way.href === undefined ? (
            <div class="how-way" key={way.title}>
              {content}
            </div>
          ) : (
            <a class="how-way how-link" key={way.title} href={way.href}>
              {content}
            </a>
          );
        })}
      </div>
    </section>
  );
}
