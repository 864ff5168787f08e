// Waiting for a condition instead of for time.

/** Resolves with the first value that is neither false nor null nor undefined. Rejects after `withinMs`, looking every `everyMs`, and says what was awaited. */
export async function eventually<Value>(
  what: string,
  probe: () => Value | false | null | undefined | Promise<Value | false | null | undefined>,
  withinMs = 10_000,
  everyMs = 10,
): Promise<Value> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await probe();
    if (value !== false && value !== null && value !== undefined) {
      return value;
    }
    if (performance.now() > deadline) {
      throw new Error(`Waited ${withinMs} ms in vain for: ${what}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
