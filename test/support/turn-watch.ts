/** How much came in one turn of the event loop, at most so far. */
export interface TurnWatch {
  readonly most: number;
}

/** Watches each turn from the next one on, until so many are counted. */
export function watchTurns(counted: () => number, until: number): TurnWatch {
  const watch = { most: 0 };
  let before = 0;
  const turn = (): void => {
    const now = counted();
    watch.most = Math.max(watch.most, now - before);
    before = now;
    if (now < until) setImmediate(turn);
  };
  setImmediate(turn);
  return watch;
}
