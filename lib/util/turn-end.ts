import { setImmediate } from 'node:timers'; // not one that a test has faked

const waiting: (() => void)[] = [];

/**
 * Runs work when the current turn of the event loop has read all that there was to read, and before it waits for more. What
 * is asked for meanwhile runs in the same turn, after what was asked for before.
 */
export function atTurnEnd(work: () => void): void {
  if (waiting.push(work) === 1) setImmediate(runAll);
}

function runAll(): void {
  let done = 0;
  try {
    while (done < waiting.length) waiting[done++]!(); // there may be more of it meanwhile
  } finally {
    waiting.splice(0, done);
    if (waiting.length > 0) setImmediate(runAll); // one has thrown, which is no reason to forget the others
  }
}
