// Three ways to put a stream on this server.

import { Icon, type IconName } from '../ui/icon.tsx';
import './how-to-stream.css';

type Way = {
  readonly icon: IconName;
  readonly title: string;
  readonly lines: readonly string[];
  readonly href?: string;
};

function ways(host: string): readonly Way[] {
  return [
    {
      icon: 'broadcast',
      title: 'OBS',
      lines: [`Server  rtmp://${host}:1935/live`, 'Stream key  NAME?key=KEY'],
    },
    {
      icon: 'camera',
      title: 'This browser',
      lines: ['Camera, screen and microphone', 'from the studio'],
      href: '/studio',
    },
    {
      icon: 'chevron',
      title: 'ffmpeg',
      lines: [`ffmpeg -re -i FILE -c copy -f flv`, `rtmp://${host}:1935/live/NAME?key=KEY`],
    },
  ];
}

/** The section under the list. */
export function HowToStream() {
  return (
    <section class="how">
      <h2>Go live</h2>
      <div class="how-ways">
        {ways(location.hostname).map((way) => {
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
