// Keeps the console's picture of all streams fresh: the list every second, health of the chosen stream every second, of the others in
// turn, a few per second.

import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, getHealth, getServer, getStreams, type StreamHealth, type StreamSummary } from '../ui/api.ts';
import { appendPoint, toPoint, type HistoryPoint } from './stream-history.ts';

/** One stream as the console shows it. */
export type StreamView = {
  readonly summary: StreamSummary;
  readonly health: StreamHealth | null;
  readonly history: readonly HistoryPoint[];
};

/** All that the console shows. */
export type ConsoleView = {
  readonly streams: readonly StreamView[] | null;
  /** The server wants an operator's token. */
  readonly needsToken: boolean;
  readonly problem: string | null;
};

const EVERY_MS = 1000;
const OTHERS_PER_ROUND = 6;

type Known = { readonly health: StreamHealth | null; readonly history: readonly HistoryPoint[] };

function chooseForRound(
  streams: readonly StreamSummary[],
  selected: string | null,
  round: number,
): readonly StreamSummary[] {
  const others = streams.filter((stream) => stream.id !== selected);
  const start = others.length === 0 ? 0 : (round * OTHERS_PER_ROUND) % others.length;
  const inTurn = [...others.slice(start), ...others.slice(0, start)].slice(0, OTHERS_PER_ROUND);
  return [...streams.filter((stream) => stream.id === selected), ...inTurn];
}

/** Polls with `token`; `selected` is asked for most often. */
export function useConsole(token: string | null, selected: string | null): ConsoleView {
  const [view, setView] = useState<ConsoleView>({ streams: null, needsToken: false, problem: null });
  const known = useRef(new Map<string, Known>());
  const selection = useRef(selected);
  selection.current = selected;

  useEffect(() => {
    let isActive = true;
    let round = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
      if (round === 0) {
        await getServer(token); // for operators only: says whether a token is needed
      }
      const streams = await getStreams(token);
      const asked = chooseForRound(streams, selection.current, round);
      await Promise.all(
        asked.map(async (stream) => {
          const health = await getHealth(stream.id, token);
          const point = toPoint(Date.now(), health, stream.viewers);
          known.current.set(stream.id, {
            health,
            history: appendPoint(known.current.get(stream.id)?.history ?? [], point),
          });
        }),
      );
      round += 1;
      const views = streams.map((summary) => ({
        summary,
        ...(known.current.get(summary.id) ?? { health: null, history: [] }),
      }));
      if (isActive) {
        setView({ streams: views, needsToken: false, problem: null });
      }
    };
    const loop = async () => {
      try {
        if (document.visibilityState === 'visible') {
          await run();
        }
      } catch (error) {
        if (isActive) {
          const needsToken = error instanceof ApiError && (error.status === 401 || error.status === 403);
          setView((before) => ({
            ...before,
            needsToken,
            problem: error instanceof Error ? error.message : String(error),
          }));
        }
      }
      if (isActive) {
        timer = setTimeout(() => void loop(), EVERY_MS);
      }
    };
    void loop();
    return () => {
      isActive = false;
      clearTimeout(timer);
    };
  }, [token]);
  return view;
}
