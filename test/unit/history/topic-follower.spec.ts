import {
  append,
  DELIVERED,
  delivered,
  endFollowing,
  followAnew,
  follower,
  lastPosition,
  newFollower,
  NOTHING,
  placed,
  renewHistory,
  resets,
} from './followed-history.js';

beforeEach(followAnew);
afterEach(endFollowing);

describe('a follower of a history', () => {
  it('P1: delivers what comes in turn at once', async () => {
    await append('a', 'b');
    expect(placed.map((push) => follower.receive(push))).toEqual([DELIVERED, DELIVERED]);
    expect(delivered).toEqual(['a', 'b']);
  });

  it('P3: reads what it missed, and delivers all in order', async () => {
    await append('a', 'b', 'c');
    expect(await follower.receive(placed[2]!)).toEqual(DELIVERED);
    expect(delivered).toEqual(['a', 'b', 'c']);
    expect(resets).toEqual([]);
  });

  it('P2: delivers what comes twice, or late, once', async () => {
    await append('a', 'b');
    for (const push of [...placed, ...placed]) await follower.receive(push);
    expect(await follower.receive(placed[0]!)).toEqual(NOTHING);
    expect(delivered).toEqual(['a', 'b']);
    expect(resets).toEqual([]);
  });

  it('P1: delivers what comes in the wrong order in the right one, with the reply for each', async () => {
    await append('a', 'b', 'c');
    const replies = [2, 0, 1].map(async (at) => follower.receive(placed[at]!));
    expect(await Promise.all(replies)).toEqual([DELIVERED, DELIVERED, DELIVERED]);
    expect(delivered).toEqual(['a', 'b', 'c']);
  });

  it('P3: tells of what cannot be had any more, and goes on behind it', async () => {
    await append('a', 'b', 'c', 'd', 'e', 'f', 'g');
    await follower.receive(placed[6]!);
    expect(delivered).toEqual([]);
    expect(resets).toEqual([placed[6]!.place.position]);
    await append('h');
    await follower.receive(placed[7]!);
    expect(delivered).toEqual(['h']);
  });

  it('P3: tells of a history that was lost and begun anew with the same numbers', async () => {
    await append('a', 'b');
    for (const push of placed) await follower.receive(push);
    renewHistory();
    await append('x', 'y', 'z');
    await follower.receive(placed.at(-1)!);
    expect(delivered).toEqual(['a', 'b']);
    expect(resets).toEqual([placed.at(-1)!.place.position]);
  });

  it('P3: misses nothing that came before it had started', async () => {
    const early = newFollower();
    const position = await lastPosition();
    await append('a', 'b');
    const replies = placed.map(async (push) => early.receive(push));
    early.start(position);
    expect(await Promise.all(replies)).toEqual([DELIVERED, DELIVERED]);
    expect(delivered).toEqual(['a', 'b']);
    early.close();
  });

  describe('that is verified where nothing tells that something is missing', () => {
    it('P1: does not hold back what is on its way', async () => {
      await append('a', 'b');
      const verified = follower.verifyGently(await lastPosition());
      await Promise.resolve();
      expect(placed.map((push) => follower.receive(push))).toEqual([DELIVERED, DELIVERED]);
      await verified;
      expect(delivered).toEqual(['a', 'b']);
    });

    it('P1: does not hold back what follows a position that is behind by now', async () => {
      const position = await lastPosition();
      await append('a', 'b');
      expect(follower.receive(placed[0]!)).toEqual(DELIVERED);
      const verified = follower.verifyGently(position);
      expect(follower.receive(placed[1]!)).toEqual(DELIVERED);
      await verified;
      expect(resets).toEqual([]);
    });

    it('P3: reads what does not arrive', async () => {
      await append('a', 'b');
      await follower.verifyGently(await lastPosition());
      expect(delivered).toEqual(['a', 'b']);
    });

    it('P3: tells of a history that was lost', async () => {
      await append('a');
      await follower.receive(placed[0]!);
      renewHistory();
      await follower.verifyGently(await lastPosition());
      expect(resets).toHaveLength(1);
    });
  });
});
