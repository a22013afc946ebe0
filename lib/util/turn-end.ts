const waiting: (() => void)[] = [];

/**
 * Runs work when the current turn of the event loop has read all that there was to read, and before it waits for more. What
 * is asked for meanwhile runs in the same turn, after what was asked for before. Work that throws takes what is behind it
 * with it.
 */
export function atTurnEnd(work: () => void): void {
  if (waiting.push(work) === 1) setImmediate(runAll);
}

function runAll(): void {
  try {
    for (const work of waiting) work(); // there may be more of it meanwhile
  } finally {
    waiting.length = 0;
  }
}
