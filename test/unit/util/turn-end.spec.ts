import { setImmediate as turn } from 'node:timers/promises';
import { atTurnEnd } from '../../../lib/util/turn-end.js';

describe('the end of a turn', () => {
  it('runs what was asked for in order, and in the same turn what is asked for meanwhile', async () => {
    const done: string[] = [];
    atTurnEnd(() => {
      done.push('first');
      atTurnEnd(() => done.push('meanwhile'));
    });
    atTurnEnd(() => done.push('second'));
    expect(done).toEqual([]);
    await turn();
    expect(done).toEqual(['first', 'second', 'meanwhile']);
  });

  it('comes again', async () => {
    let count = 0;
    for (let at = 0; at < 3; at++) {
      atTurnEnd(() => count++);
      await turn();
    }
    expect(count).toBe(3);
  });
});
