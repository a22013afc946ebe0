import { jest } from '@jest/globals';
import { Replay } from '../../lib/bus/replay.js';
import {
  boot,
  closeAll,
  first,
  seen,
  server,
  start,
  whileAway,
} from '../support/resuming-client.js';

beforeEach(() => boot());

afterEach(async () => {
  jest.restoreAllMocks();
  await closeAll();
});

describe('the latest value', () => {
  const price = (n: unknown): Promise<unknown> => server().bus.pushToChannel('prices:eur', n);

  it('P2, P3: comes to who asks for it, and is not repeated', async () => {
    for (const n of [1, 2]) await server().bus.pushToChannel('chat:price', n);
    const client = start();
    client.on('chat:price', (n) => seen.push(n), { latest: true });
    await client.ready();
    expect(await first(1)).toEqual([2]);
    await whileAway(client, () => server().bus.pushToChannel('chat:price', 3));
    expect(await first(2)).toEqual([2, 3]);
  });

  it('P2: is not repeated when it is pushed while it is asked for', async () => {
    const client = start();
    client.on('prices:eur', (n) => seen.push(n), { latest: true });
    const replay = server().get(Replay);
    const run = replay.run.bind(replay);
    jest.spyOn(replay, 'run').mockImplementationOnce(async (conn, resumption) => {
      await price(7);
      return run(conn, resumption);
    });
    await client.ready();
    expect(seen).toEqual([7]);
  });

  it('comes again to who is shown again', async () => {
    await price(7);
    const client = start();
    client.on('live:*', () => {});
    const off = client.on('prices:eur', (n) => seen.push(n), { latest: true });
    await client.ready();
    off();
    await client.ready();
    client.on('prices:eur', (n) => seen.push(['again', n]), { latest: true });
    await client.ready();
    expect(seen).toEqual([7, ['again', 7]]);
  });

  it('comes to who asks for it when another pattern holds the service', async () => {
    await price(7);
    const client = start();
    client.on('prices:usd', () => {});
    await client.ready();
    client.on('prices:eur', (n) => seen.push(n), { latest: true });
    await client.ready();
    expect(seen).toEqual([7]);
  });

  it.each(['prices:eur', 'prices:*', 'prices:usd'] as const)(
    'comes to who asks for it after it was pushed to who holds %s',
    async (pattern) => {
      const client = start();
      client.on(pattern, (n) => seen.push(n));
      await client.ready();
      await price(7);
      if (pattern !== 'prices:usd') await first(1);
      seen.length = 0;
      client.on('prices:eur', (n) => seen.push(n), { latest: true });
      await client.ready();
      expect(seen).toEqual([7]);
    },
  );

  it('comes to who asks for it when the server has subscribed its service', async () => {
    await boot({ defaultSubscriptions: ['prices:*'] });
    await price(7);
    const client = start();
    await client.ready();
    client.on('prices:eur', (n) => seen.push(n), { latest: true });
    await client.ready();
    expect(seen).toEqual([7]);
  });

  it('P3: comes after the reset of who has missed several', async () => {
    const resets: string[] = [];
    const client = start();
    client.onReset(({ topic }) => resets.push(topic));
    client.on('prices:eur', (n) => seen.push(n), { latest: true });
    await client.ready();
    await whileAway(client, async () => {
      for (const n of [1, 2, 3]) await price(n);
    });
    expect(seen).toEqual([3]);
    expect(resets).toEqual(['service:prices']);
  });
});
