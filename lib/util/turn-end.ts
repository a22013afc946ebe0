import { setImmediate } from 'node:timers'; // unaffected by a test's fake timers

const waiting: (() => void)[] = [];

/**
 * Runs work after the current turn of the event loop has read all pending input, and before the loop waits for more.
 * Work added meanwhile runs in the same turn, in the order of the calls.
 */
export function atTurnEnd(work: () => void): void {
  if (waiting.push(work) === 1) setImmediate(runAll);
}

function runAll(): void {
  let done = 0;
  try {
    while (done < waiting.length) waiting[done++]!(); // a callback may add more
  } finally {
    waiting.splice(0, done);
    if (waiting.length > 0) setImmediate(runAll); // a callback threw: the others still have to run
  }
}
