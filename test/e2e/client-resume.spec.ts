import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Replay } from '../../lib/bus/replay.js';
import { ClientErrorCode, type LoopStorage } from '../../lib/client/index.js';
import { waitNoLongerFor } from '../support/durable-client.js';
import { eventually } from '../support/eventually.js';
import { upTo } from '../support/numbers.js';
import {
  boot,
  closeAll,
  connection,
  errors,
  first,
  seen,
  server,
  SIZE,
  start,
  whileAway,
} from '../support/resuming-client.js';

beforeEach(() => boot());

afterEach(async () => {
  jest.restoreAllMocks();
  await closeAll();
});

async function push(...numbers: readonly unknown[]): Promise<void> {
  for (const n of numbers) await server().bus.pushToAccount('acme', 'chat:n', n);
}

/** Calls this in the turn in which the next `since` is answered, right behind the answer. */
function behindTheAnswer(happens: () => unknown): void {
  const replay = server().get(Replay);
  const run = replay.run.bind(replay);
  jest.spyOn(replay, 'run').mockImplementationOnce((conn, resumption) =>
    run(conn, {
      ...resumption,
      tell: (changed, answer) => {
        resumption.tell(changed, answer);
        happens();
      },
    }),
  );
}

describe('a client that was away', () => {
  it('P2, P3: gets what it missed, in order and once, by itself', async () => {
    const client = start();
    client.on('chat:*', (n) => seen.push(n));
    await client.ready();
    await push(1, 2);
    expect(await first(2)).toEqual([1, 2]);
    for (const n of [3, 6, 9]) {
      await whileAway(client, () => push(n, n + 1, n + 2));
    }
    await push('live');
    expect(await first(12)).toEqual([...upTo(12).slice(1), 'live']);
    expect(errors).toEqual([]);
  });

  it('P3: goes on only when the server knows of each of its patterns whether it may have it', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    let failures = 0;
    await boot({
      authorize: (_, pattern) => {
        if (pattern === 'chat:n' && failures-- > 0) throw new Error('The directory is away.');
        return true;
      },
    });
    const client = start();
    for (const pattern of ['chat:n', 'chat:other'] as const)
      client.on(pattern, (n) => seen.push(n));
    await client.ready();
    failures = 1;
    await whileAway(client, () => push(1, 2));
    expect(await first(2)).toEqual([1, 2]);
    expect(errors).toMatchObject([{ code: 'unavailable', pattern: 'chat:n' }]);
  });

  it('P3: is told to reload what cannot be had any more, per topic, and goes on from there', async () => {
    const resets: string[] = [];
    const client = start();
    client.on('chat:*', (n) => seen.push(n));
    client.onReset(({ topic }) => resets.push(topic));
    await client.ready();
    await whileAway(client, () => push(...upTo(SIZE + 1)));
    expect(resets).toEqual(['account']);
    await whileAway(client, () => push('after'));
    expect(await first(1)).toEqual(['after']);
    expect(resets).toEqual(['account']);
    expect(errors).toEqual([]);
  });

  it('P3: says so where errors go when nobody listens for resets', async () => {
    const client = start();
    client.on('chat:*', () => {});
    await client.ready();
    await whileAway(client, () => push(...upTo(SIZE + 1)));
    expect(errors.map(({ code }) => code)).toEqual([ClientErrorCode.HistoryLost]);
    expect(errors[0]!.message).toContain('"account"');
  });

  it('survives handlers and reload hooks that throw', async () => {
    const client = start();
    client.on('chat:*', (n) => {
      seen.push(n);
      throw new Error(`handler ${String(n)}`);
    });
    client.onReset(() => Promise.reject(new Error('reload')));
    await client.ready();
    await whileAway(client, () => push(...upTo(SIZE + 1)));
    await whileAway(client, () => push('after'));
    expect(await first(1)).toEqual(['after']);
    await eventually('both were told', () => errors.length === 2);
    expect(errors.map(({ cause }) => (cause as Error).message)).toEqual([
      'reload',
      'handler after',
    ]);
  });

  it('P3: gets what matches any of its many patterns', async () => {
    const client = start();
    for (const n of upTo(150)) client.on(`chat:n${n}`, (data) => seen.push(data));
    await client.ready();
    const pushed = [0, 149, 99, 100];
    await whileAway(client, async () => {
      for (const n of pushed) await server().bus.pushToAccount('acme', `chat:n${n}`, n);
    });
    expect(await first(4)).toEqual(pushed);
  });

  it('P3: hears of a topic that is not its any more', async () => {
    const resets: string[] = [];
    const client = start();
    client.on('chat:*', (n) => seen.push(n));
    client.onReset(({ topic }) => resets.push(topic));
    await client.ready();
    await connection().join('lobby');
    await server().bus.pushToRoom('lobby', 'chat:n', 1);
    expect(await first(1)).toEqual([1]);
    await whileAway(client, () => server().bus.pushToRoom('lobby', 'chat:n', 2));
    expect(resets).toEqual(['room:lobby']);
  });

  it('P2, P3: gets what is pushed right behind a reset once', async () => {
    const client = start();
    const resets: string[] = [];
    client.onReset(({ topic }) => resets.push(topic));
    client.on('chat:*', (n) => seen.push(n));
    await client.ready();
    behindTheAnswer(() => push('behind'));
    await whileAway(client, () => push(...upTo(SIZE + 1)));
    await first(1);
    await whileAway(client, () => push('last'));
    expect(await first(2)).toEqual(['behind', 'last']);
    expect(resets).toEqual(['account']);
  });

  it('P3: that is late to say where it was is told, and goes on from there', async () => {
    await boot({ defaultSubscriptions: ['chat:*'] });
    const client = start();
    const resets: string[] = [];
    client.onReset(({ topic }) => resets.push(topic));
    const off = client.on('chat:*', (n) => seen.push(n));
    await client.ready();
    await push(1);
    await first(1);
    off();
    await whileAway(client, () => push(2));
    await waitNoLongerFor(server()); // without a handler it has not said where it was
    await eventually('it is told', () => resets.length === 2);
    expect(new Set(resets)).toEqual(new Set(['account', 'service:chat']));
    client.on('chat:*', (n) => seen.push(n));
    await client.ready();
    await push(3);
    await first(2);
    await whileAway(client, () => push(4));
    expect(await first(3)).toEqual([1, 3, 4]);
    expect(resets).toHaveLength(2);
  });

  it('hears of no reset of what it has left, and gets nothing of the time in between', async () => {
    const resets: string[] = [];
    const client = start();
    client.onReset(({ topic }) => resets.push(topic));
    client.on('live:*', () => {});
    const off = client.on('chat:*', (n) => seen.push(n));
    await client.ready();
    await server().bus.pushToChannel('chat:n', 1);
    await first(1);
    off();
    await client.ready();
    await server().bus.pushToChannel('chat:n', 2);
    await whileAway(client, () => server().bus.pushToChannel('chat:n', 3));
    client.on('chat:*', (n) => seen.push(n));
    await client.ready();
    await whileAway(client, () => server().bus.pushToChannel('chat:n', 4));
    expect(await first(2)).toEqual([1, 4]);
    expect(resets).toEqual([]);
  });

  it('P3: that was in more rooms than a server takes the places of goes on in its account', async () => {
    const client = start();
    client.on('chat:*', (n) => seen.push(n));
    client.onReset(() => {});
    await client.ready();
    for (const n of upTo(1_001)) {
      await connection().join(`r${n}`);
      connection().leave(`r${n}`);
    }
    await push(1);
    await first(1);
    await whileAway(client, () => push(2));
    expect(await first(2)).toEqual([1, 2]);
  });

  it('P3: gets the first event of a topic it had none of before', async () => {
    const client = start();
    client.on('chat:*', (n) => seen.push(n));
    await client.ready();
    await whileAway(client, () => server().bus.pushToChannel('chat:all', 1));
    expect(await first(1)).toEqual([1]);
  });
});

describe('a client of the next page', () => {
  class Storage implements LoopStorage {
    readonly items = new Map<string, string>();
    readonly getItem = (key: string): string | null => this.items.get(key) ?? null;
    readonly setItem = (key: string, value: string): void => void this.items.set(key, value);
  }

  /** A page that saw the event, and is gone. */
  async function pageThatSaw(storage: Storage, event: unknown): Promise<void> {
    const page = start({ storage });
    page.on('chat:*', (n) => seen.push(n));
    await page.ready();
    const { position } = await server().bus.pushToAccount('acme', 'chat:n', event);
    await eventually('it has come', () => seen.includes(event));
    await eventually('its position is kept', () =>
      [...storage.items.values()].join().includes(position!),
    );
    page.close();
  }

  it('P2, P3: goes on where the last one was', async () => {
    const storage = new Storage();
    await pageThatSaw(storage, 1);
    await push(2);
    const next = start({ storage });
    next.on('chat:*', (n) => seen.push(n));
    await push(3);
    expect(await first(3)).toEqual([1, 2, 3]);
  });

  it('of another account begins anew', async () => {
    const storage = new Storage();
    await pageThatSaw(storage, 1);
    await server().bus.pushToAccount('other', 'chat:n', 'of before');
    const next = start({ storage, token: 'other' });
    next.on('chat:*', (n) => seen.push(n));
    await next.ready();
    await server().bus.pushToAccount('other', 'chat:n', 2);
    expect(await first(2)).toEqual([1, 2]);
    expect(errors).toEqual([]);
  });

  it('does without a storage that fails, and says so once', async () => {
    const fail = (): never => {
      throw new Error('full');
    };
    const client = start({ storage: { getItem: () => null, setItem: fail } });
    client.on('chat:*', (n) => seen.push(n));
    await client.ready();
    await push(1, 2);
    expect(await first(2)).toEqual([1, 2]);
    await eventually('it is told', () => errors.length > 0);
    expect(errors.map(({ code }) => code)).toEqual([ClientErrorCode.StorageFailed]);
  });
});
