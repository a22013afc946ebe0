import { jest } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { deferred } from '../../support/eventually.js';
import {
  append,
  DELIVERED,
  delivered,
  endFollowing,
  followAnew,
  follower,
  history,
  lastPosition,
  NOTHING,
  placed,
  policy,
  resets,
} from './followed-history.js';

const UNKNOWN = { ...NOTHING, isOpen: true };

beforeEach(followAnew);
afterEach(endFollowing);

describe('a follower that reads', () => {
  /** Answers of the history are held up from now on until they are released. */
  function holdUpReads(): { readonly release: () => void } {
    const { promise, resolve } = deferred();
    const { since } = history;
    history.since = async (...args) => {
      const read = await since.apply(history, args);
      await promise;
      return read;
    };
    return { release: resolve };
  }

  it('P3: forgets no verification that comes meanwhile', async () => {
    await append('a', 'b');
    const reads = holdUpReads();
    const received = follower.receive(placed[1]!);
    await append('c'); // and is lost on the way
    const verified = follower.verify(await lastPosition());
    reads.release();
    await Promise.all([received, verified]);
    expect(delivered).toEqual(['a', 'b', 'c']);
  });

  it('P1: does not read again what came meanwhile and follows', async () => {
    await append('a', 'b');
    const reads = holdUpReads();
    const reading = jest.spyOn(history, 'since');
    const first = follower.receive(placed[1]!);
    await turn();
    await append('c', 'd');
    const others = placed.slice(2).map(async (push) => follower.receive(push));
    reads.release();
    expect(await Promise.all([first, ...others])).toEqual([DELIVERED, DELIVERED, DELIVERED]);
    expect(delivered).toEqual(['a', 'b', 'c', 'd']);
    expect(reading).toHaveBeenCalledTimes(1);
  });

  it('P5: answers everybody when a push comes twice meanwhile', async () => {
    await append('a', 'b');
    const replies = [1, 1].map(async () => follower.receive(placed[1]!));
    expect(await Promise.all(replies)).toEqual([NOTHING, DELIVERED]);
    expect(delivered).toEqual(['a', 'b']);
  });

  it('P5: does not call nobody what it has read, and delivered, before it comes', async () => {
    await append('a', 'b', 'c');
    await follower.verify(await lastPosition());
    await append('d');
    expect(follower.receive(placed[3]!)).toEqual(DELIVERED);
    const late = placed.slice(0, 3).map(async (push) => follower.receive(push));
    expect(await Promise.all(late)).toEqual([UNKNOWN, UNKNOWN, UNKNOWN]);
    expect(follower.receive(placed[3]!)).toEqual(NOTHING); // its own reply has been given
    expect(delivered).toEqual(['a', 'b', 'c', 'd']);
  });

  it('P5: does not call nobody what comes last and was read', async () => {
    await append('a');
    await follower.verify(await lastPosition());
    expect(await follower.receive(placed[0]!)).toEqual(UNKNOWN);
  });

  it('P5: does not call nobody what comes while it is delivered', async () => {
    policy.size = 1_000;
    await append(...Array.from({ length: 100 }, String));
    const verified = follower.verify(await lastPosition());
    await turn();
    await turn();
    const at = delivered.length - 1;
    expect(at).toBeLessThan(90);
    const late = follower.receive(placed[at]!);
    const early = follower.receive(placed[at + 9]!);
    await verified;
    expect(await Promise.all([late, early])).toEqual([UNKNOWN, DELIVERED]);
  });

  it('P5: does not call nobody what comes after the reset that names it', async () => {
    await append('a', 'b', 'c', 'd', 'e', 'f', 'g');
    await follower.receive(placed[6]!);
    expect(await follower.receive(placed[5]!)).toEqual(UNKNOWN);
  });

  it('P5: does not know what becomes of a push that ends in a reset', async () => {
    await append('a', 'b', 'c', 'd', 'e', 'f', 'g');
    expect(await follower.receive(placed[6]!)).toEqual(UNKNOWN);
  });

  it.each(Array.from({ length: 20 }, (_, at) => at))(
    'P3: forgets nothing that comes %i microtasks after it has read',
    async (microtasks) => {
      await append('a');
      const reads = holdUpReads();
      const verified = follower.verify(await lastPosition());
      await turn();
      reads.release();
      for (let passed = 0; passed < microtasks; passed++) await Promise.resolve();
      await append('b', 'c'); // of which the first is lost on the way
      const received = follower.receive(placed[2]!);
      await verified;
      expect(await received).toEqual(DELIVERED);
      expect(delivered).toEqual(['a', 'b', 'c']);
    },
  );

  it('P6: keeps only so many pushes while the history cannot be read, and then misses none', async () => {
    const isDown = jest.spyOn(history, 'since').mockRejectedValue(new Error('down'));
    await append(...Array.from({ length: 3_000 }, String));
    const replies = placed.slice(1).map((push) => follower.receive(push));
    const waiting = replies.filter((reply) => reply instanceof Promise);
    expect(waiting).toHaveLength(1_000);
    isDown.mockRestore();
    await Promise.all(waiting);
    expect(resets).toEqual([placed.at(-1)!.place.position]); // so many are not kept
  });

  it('P6: delivers a big gap in many turns', async () => {
    policy.size = 1_000;
    await append(...Array.from({ length: 100 }, String));
    const received = follower.receive(placed[99]!);
    const perTurn: number[] = [];
    for (let before = 0; delivered.length < 100; before = delivered.length) {
      await turn();
      perTurn.push(delivered.length - before);
    }
    await received;
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(16);
  });
});
