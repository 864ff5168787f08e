// Asks again and again while the page is visible; an answer, a failure, and never two questions at once.

import { useEffect, useState } from 'preact/hooks';

/** The last answer, and the last failure when it is newer than the answer. */
export type Polled<Answer> = { readonly answer: Answer | null; readonly error: Error | null };

/** Calls `ask` every `everyMs`, and at once whenever a value in `inputs` changes. */
export function usePolling<Answer>(
  ask: () => Promise<Answer>,
  everyMs: number,
  inputs: readonly unknown[],
): Polled<Answer> {
  const [polled, setPolled] = useState<Polled<Answer>>({ answer: null, error: null });
  useEffect(() => {
    let isActive = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
      if (document.visibilityState === 'visible') {
        try {
          const answer = await ask();
          if (isActive) {
            setPolled({ answer, error: null });
          }
        } catch (error) {
          if (isActive) {
            setPolled((before) => ({ ...before, error: error instanceof Error ? error : new Error(String(error)) }));
          }
        }
      }
      if (isActive) {
        timer = setTimeout(() => void run(), everyMs);
      }
    };
    void run();
    return () => {
      isActive = false;
      clearTimeout(timer);
    };
  }, inputs);
  return polled;
}
