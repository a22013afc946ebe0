import { setImmediate as turn } from 'node:timers/promises';
import { TurnPace } from '../../../lib/util/turn-pace.js';

/** Lets one through after the other, and notes who has passed. */
function passing<Who>(pace: TurnPace, passed: Who[]): (who: Who) => Promise<void> {
  return async (who) => {
    await pace.pass();
    passed.push(who);
  };
}

describe('TurnPace', () => {
  it('P6: lets so many through in a turn, and the rest in order in the turns after it', async () => {
    const pace = new TurnPace(2);
    const passed: number[] = [];
    const pass = passing(pace, passed);
    const all = Promise.all([0, 1, 2, 3, 4].map((at) => pass(at)));
    await Promise.resolve();
    const perTurn = [passed.length];
    while (passed.length < 5) {
      await turn();
      perTurn.push(passed.length);
    }
    await all;
    expect(perTurn).toEqual([2, 4, 5]);
    expect(passed).toEqual([0, 1, 2, 3, 4]);
  });

  it('does not let who comes later pass by who waits', async () => {
    const pace = new TurnPace(1);
    const passed: string[] = [];
    const pass = passing(pace, passed);
    const early = [pass('first'), pass('second'), pass('third')];
    await turn();
    await Promise.all([...early, pass('late')]);
    expect(passed).toEqual(['first', 'second', 'third', 'late']);
  });

  it('keeps nobody waiting once the turns are free again', async () => {
    const pace = new TurnPace(1);
    expect(pace.pass()).toBeUndefined();
    await turn();
    await turn();
    expect(pace.pass()).toBeUndefined();
  });
});
