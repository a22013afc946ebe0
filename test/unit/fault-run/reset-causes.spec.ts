import type { ClientDiary, PublishedEvent, Sighting } from '../../../lib/testing/index.js';
import type { Loss } from '../../fault-run/losses.js';
import { causesOfResets, type ResetCauses } from '../../fault-run/reset-causes.js';
import { HISTORY_SIZE } from '../../fault-run/scale.js';

const TOPIC = 'account:a1';

/** In a history that began at `ms`, so many pushes later. */
function positionOf(ms: number, pushes: number, id = 'x'): string {
  return `${(Math.ceil((ms / 1_000) * 2 ** 20) + pushes).toString(36)}.${id}${pushes}`;
}

const began = (position: string): Sighting => ({ kind: 'began', topic: TOPIC, position });
const saw = (position: string): Sighting => ({
  kind: 'event',
  publisher: 'p',
  number: 1,
  topic: TOPIC,
  position,
});
const reset = (position: string, at: number): Sighting => ({
  kind: 'reset',
  topic: TOPIC,
  position,
  at,
});

function causesOf(losses: readonly Loss[], ...sightings: readonly Sighting[]): ResetCauses {
  const diary: ClientDiary = { client: 'a1/d1', accountId: 'a1', sightings };
  return causesOfResets([diary], losses);
}

describe('why clients of a fault run were reset', () => {
  const flush: Loss = { kind: 'FLUSHALL', at: 5_000 };
  const old = began(positionOf(1_000, 0));
  const anew = positionOf(5_010, 0);

  it('is a loss between the history that the client leaves and the one that it comes to', () => {
    const { counts, strange, unreported } = causesOf([flush], old, reset(anew, 5_100));
    expect([...counts]).toEqual([['FLUSHALL', 1]]);
    expect([strange, unreported]).toEqual([[], []]);
  });

  it('is nothing for a second reset, also one that takes the client further', () => {
    const again = [reset(anew, 5_100), reset(anew, 5_200), reset(positionOf(5_010, 3), 5_300)];
    expect(causesOf([flush], old, ...again).strange).toHaveLength(2);
  });

  it('is nothing for who has seen the new history, and for who stays in the old one', () => {
    const later = [reset(anew, 5_100), saw(positionOf(5_010, 1)), reset(positionOf(5_010, 2), 6e4)];
    expect(causesOf([flush], old, ...later).strange).toHaveLength(1);
    expect(causesOf([flush], old, reset(positionOf(1_000, 9), 3e5)).strange).toHaveLength(1);
  });

  it('may be two losses at once, and both were told then', () => {
    const second: Loss = { kind: 'Redis killed empty', at: 8_000 };
    const both = causesOf([flush, second], old, reset(positionOf(8_010, 0), 8_100));
    expect([...both.counts]).toEqual([['Redis killed empty', 1]]);
    expect(both.unreported).toEqual([]);
  });

  it('names who was not told, and a loss that hit nobody', () => {
    expect(causesOf([flush], old).unreported).toEqual([
      'a1/d1: not told of FLUSHALL on account:a1',
    ]);
    expect(causesOf([flush], began(anew)).unreported).toEqual(['FLUSHALL: hit nobody']);
  });

  it('is a trim only where more was lost than is kept', () => {
    const trim: Loss = { kind: 'history trimmed', at: 5_000, account: 'a1' };
    const far = reset(positionOf(1_000, HISTORY_SIZE + 1), 5_100);
    expect([...causesOf([trim], old, far).counts]).toEqual([['history trimmed', 1]]);
    const near = reset(positionOf(1_000, HISTORY_SIZE), 5_100);
    expect(causesOf([trim], old, near)).toMatchObject({ strange: [expect.any(String)] });
    expect(causesOf([{ ...trim, account: 'a2' }], old, far).strange).toHaveLength(1);
  });

  describe('by a failover with lost writes', () => {
    const write = { topic: TOPIC, position: positionOf(1_000, 4, 'lost') } as PublishedEvent;
    const failover: Loss = { kind: 'failover', at: 5_000, lostWrites: [write] };
    const back = reset(positionOf(1_000, 3), 5_100);

    it('may be told in two steps to who had got such a write', () => {
      const twoSteps = [saw(write.position!), back, reset(anew, 5_200)];
      const { counts, strange, unreported } = causesOf([failover], old, ...twoSteps);
      expect([...counts]).toEqual([['failover', 2]]);
      expect([strange, unreported]).toEqual([[], []]);
    });

    it('is told in one step to anybody else', () => {
      expect(causesOf([failover], old, back, reset(anew, 5_200)).strange).toHaveLength(1);
      expect(causesOf([failover], old, saw(write.position!), back, back).strange).toHaveLength(1);
    });

    it('concerns nobody on other topics', () => {
      const elsewhere = { ...failover, lostWrites: [{ ...write, topic: 'account:a2' }] };
      expect(causesOf([elsewhere], old).unreported).toEqual(['failover: hit nobody']);
    });
  });
});
