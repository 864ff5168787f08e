// Stopping step by step: every stage has its time, and one that hangs or fails is told by name and left behind, so that the stop ends
// whatever hangs. Used by the composition roots.

import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

/** One thing that is stopped. */
export type StopStage = {
  /** For the log: `the transcode workers`. */
  readonly name: string;
  /** What it may take, ms; what the steps before have not used is added. */
  readonly withinMs: number;
  /** Told how long it may take. */
  readonly run: (withinMs: number) => unknown;
};

/** Stages that stop at the same time: none needs another. */
export type StopStep = readonly StopStage[];

const timeOf = (step: StopStep): number => Math.max(0, ...step.map(({ withinMs }) => withinMs));

/** Runs the steps in order. Resolves with the names of the stages left behind, at the latest after the sum of the steps' times; never rejects. */
export async function stopInSteps(
  steps: readonly StopStep[],
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<readonly string[]> {
  const leftBehind: string[] = [];
  let stepEndsAt = clock.monotonicMs();
  for (const step of steps) {
    stepEndsAt += timeOf(step);
    const withinMs = stepEndsAt - clock.monotonicMs();
    await Promise.all(
      step.map(async (stage) => {
        const reason = await outcome(stage, withinMs, clock);
        if (reason !== null) {
          leftBehind.push(stage.name);
          logger.error({ stage: stage.name, reason }, 'a stage of the stop is left behind');
        }
      }),
    );
  }
  return leftBehind;
}

/** Null when the stage has ended in order, else why not. */
async function outcome(stage: StopStage, withinMs: number, clock: Clock): Promise<string | null> {
  let cancel = (): void => undefined;
  const tooLate = new Promise<string>((resolve) => {
    cancel = clock.after(withinMs, () => {
      resolve(`not done within ${Math.round(withinMs)} ms`);
    });
  });
  const ended = Promise.resolve()
    .then(() => stage.run(withinMs))
    .then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  try {
    return await Promise.race([ended, tooLate]);
  } finally {
    cancel();
  }
}
