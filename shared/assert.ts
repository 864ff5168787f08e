// Statements about states that cannot happen. A failure here is a bug of ours, never of the input.

/** Throws when `condition` is false. For our own invariants only; bad input has its coded errors. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) {
    throw new Error(`Broken invariant: ${message}`);
  }
}

/** The default branch of an exhaustive switch. */
export function assertNever(value: never): never {
  throw new Error(`Unreachable variant: ${JSON.stringify(value)}`);
}
