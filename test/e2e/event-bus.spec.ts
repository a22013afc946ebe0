import { jest } from '@jest/globals';
import {
  CloseCode,
  ConnectionRegistry,
  LoopConnection,
  LoopPushError,
  OnLoopConnect,
} from '../../lib/index.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);

describe('pushToConnection', () => {
  it('delivers to that connection alone', async () => {
    const { bus, client } = await startLoopApp();
    const phone = await client('acme', { connectionId: 'phone' });
    const laptop = await client('acme', { connectionId: 'laptop' });
    const result = await bus.pushToConnection('acme', 'phone', 'billing:invoice.paid', {
      id: 'i-1',
    });
    expect(result).toBe('delivered');
    expect(await phone.next('billing:invoice.paid')).toEqual({ id: 'i-1' });
    await laptop.ask({ op: 'ping' });
    expect(laptop.frames.some((frame) => 'event' in frame)).toBe(false);
  });

  it('says filtered when no subscription matches, and sends nothing', async () => {
    const { bus, client } = await startLoopApp({ options: { defaultSubscriptions: ['chat:*'] } });
    const phone = await client('acme', { connectionId: 'phone' });
    expect(await bus.pushToConnection('acme', 'phone', 'billing:invoice.paid', {})).toBe(
      'filtered',
    );
    await phone.ask({ op: 'ping' });
    expect(phone.frames.some((frame) => 'event' in frame)).toBe(false);
  });

  it('says not_connected when nobody has that identity', async () => {
    const { bus, client } = await startLoopApp();
    await client('acme', { connectionId: 'phone' });
    expect(await bus.pushToConnection('acme', 'watch', 'billing:invoice.paid', {})).toBe(
      'not_connected',
    );
    expect(await bus.pushToConnection('other', 'phone', 'billing:invoice.paid', {})).toBe(
      'not_connected',
    );
  });
});

describe('pushToAccount', () => {
  it('counts who got it and who filtered it', async () => {
    const { bus, client } = await startLoopApp();
    const phone = await client('acme', { connectionId: 'phone' });
    const laptop = await client('acme', { connectionId: 'laptop' });
    await client('other');
    await laptop.unsubscribe('*:*');
    const report = await bus.pushToAccount('acme', 'billing:invoice.paid', { id: 1 });
    expect(report).toEqual({
      delivered: 1,
      filtered: 1,
      failed: 0,
      servers: { expected: 1, answered: 1 },
      complete: true,
    });
    expect(await phone.next('billing:invoice.paid')).toEqual({ id: 1 });
  });

  it('leaves out what except names, by id or by connection', async () => {
    const { bus, client } = await startLoopApp();
    await client('acme', { connectionId: 'a' });
    await client('acme', { connectionId: 'b' });
    const c = await client('acme', { connectionId: 'c' });
    const report = await bus.pushToAccount('acme', 'chat:note', 'x', {
      except: [
        'a',
        { accountId: 'acme', connectionId: 'b' },
        { accountId: 'other', connectionId: 'c' },
      ],
    });
    expect(report.delivered).toBe(1);
    expect(await c.next('chat:note')).toBe('x');
  });
});

describe('options of a push that cannot travel', () => {
  it.each([
    [{ id: 5 }, /id is of type number/],
    [{ except: 'phone' }, /except is of type string/],
    [{ except: [{ accountId: 'acme' }] }, /connectionId is of type undefined/],
    [{ except: [null] }, /accountId is of type undefined/],
  ])('%j are refused before anybody gets it', async (options, reason) => {
    const { bus, client } = await startLoopApp();
    const phone = await client('acme', { connectionId: 'phone' });
    const push = bus.pushToAccount('acme', 'chat:n', 1, options as never);
    await expect(push).rejects.toThrow(reason);
    await expect(push).rejects.toThrow(LoopPushError);
    await phone.ask({ op: 'ping' });
    expect(phone.frames.some((frame) => 'event' in frame)).toBe(false);
  });
});

describe('a connection that is pushed to by name and excepted', () => {
  it('is filtered: it is connected, and gets nothing', async () => {
    const { bus, client } = await startLoopApp();
    const phone = await client('acme', { connectionId: 'phone' });
    const options = { except: ['phone'] };
    expect(await bus.pushToConnection('acme', 'phone', 'chat:n', 1, options)).toBe('filtered');
    expect(await bus.pushToConnection('acme', 'watch', 'chat:n', 1, options)).toBe('not_connected');
    await phone.ask({ op: 'ping' });
    expect(phone.frames.some((frame) => 'event' in frame)).toBe(false);
  });
});

describe('pushToRoom', () => {
  class Lobby {
    @OnLoopConnect()
    async enter(connection: LoopConnection): Promise<void> {
      await connection.join(`lobby-${connection.accountId}`);
    }
  }

  it('reaches its members on every account, until they leave', async () => {
    const { bus, client, get } = await startLoopApp({ providers: [Lobby] });
    const a = await client('a');
    await client('b');
    const b = [...get(ConnectionRegistry)].find(({ accountId }) => accountId === 'b')!;
    await b.join('lobby-a');
    expect((await bus.pushToRoom('lobby-a', 'chat:note', 1)).delivered).toBe(2);
    expect(await a.next('chat:note')).toBe(1);
    b.leave('lobby-a');
    expect((await bus.pushToRoom('lobby-a', 'chat:note', 2)).delivered).toBe(1);
    expect(await bus.pushToRoom('nowhere', 'chat:note', 3)).toMatchObject({
      delivered: 0,
      complete: true,
    });
  });
});

describe('pushToChannel', () => {
  it('reaches everyone whose subscriptions match, in each of the five forms', async () => {
    const { bus, client } = await startLoopApp({ options: { defaultSubscriptions: [] } });
    const patterns = [
      'billing:invoice.paid',
      'billing:*',
      '*:invoice.paid',
      '*:*',
      'billing:invoice.*',
    ];
    const matching = await Promise.all(patterns.map((_, index) => client(`account-${index}`)));
    await Promise.all(matching.map((one, index) => one.subscribe(patterns[index]!)));
    const deaf = await client('deaf');
    await deaf.subscribe('billing:invoice', 'chat:*', '*:invoice.sent', 'billing:order.*');
    const report = await bus.pushToChannel('billing:invoice.paid', { id: 7 });
    expect(report).toMatchObject({ delivered: 5, filtered: 0, failed: 0 });
    for (const one of matching) expect(await one.next('billing:invoice.paid')).toEqual({ id: 7 });
  });

  it('P2: delivers once to a connection whose subscriptions overlap', async () => {
    const { bus, client } = await startLoopApp();
    const one = await client();
    await one.subscribe('billing:invoice.paid', 'billing:*', '*:invoice.paid', 'billing:invoice.*');
    expect((await bus.pushToChannel('billing:invoice.paid', 1)).delivered).toBe(1);
    expect((await bus.pushToAccount('acme', 'billing:invoice.paid', 2)).delivered).toBe(1);
    await one.ask({ op: 'ping' });
    expect(
      one.frames.filter((frame) => 'event' in frame).map((frame) => 'data' in frame && frame.data),
    ).toEqual([1, 2]);
  });
});

describe('code that runs while a push is delivered', () => {
  it('does not change who gets that push', async () => {
    const { bus, client, get } = await startLoopApp();
    const join = async (connectionId: string) => {
      const socket = await client('acme', { connectionId });
      return { socket, connection: get(ConnectionRegistry).get('acme', connectionId)! };
    };
    const [first, second, late] = [await join('first'), await join('second'), await join('late')];
    await first.connection.join('lobby');
    await second.connection.join('lobby');
    const deliver = first.connection.deliver.bind(first.connection);
    jest.spyOn(first.connection, 'deliver').mockImplementation((frame) => {
      second.connection.leave('lobby');
      void late.connection.join('lobby');
      return deliver(frame);
    });
    await bus.pushToRoom('lobby', 'chat:n', 1);
    await bus.pushToRoom('lobby', 'chat:n', 2);
    await bus.pushToAccount('acme', 'chat:end', 0);
    const seenBy = async ({ socket }: typeof first): Promise<unknown[]> => {
      await socket.next('chat:end');
      return socket.frames.flatMap((frame) => ('event' in frame ? [frame.data] : []));
    };
    expect(await seenBy(first)).toEqual([1, 2, 0]);
    expect(await seenBy(second)).toEqual([1, 0]);
    expect(await seenBy(late)).toEqual([2, 0]);
  });
});

describe('P1: pushes of one publisher arrive in call order, whatever their targets', () => {
  it('through connection, account, room and channel in turn, none awaited', async () => {
    const { bus, client, get } = await startLoopApp();
    const one = await client('acme', { connectionId: 'phone' });
    await get(ConnectionRegistry).get('acme', 'phone')!.join('room');
    const pushes: Promise<unknown>[] = [];
    for (let n = 0; n < 400; n += 4) {
      pushes.push(bus.pushToConnection('acme', 'phone', 'chat:n', n));
      pushes.push(bus.pushToAccount('acme', 'chat:n', n + 1));
      pushes.push(bus.pushToRoom('room', 'chat:n', n + 2));
      pushes.push(bus.pushToChannel('chat:n', n + 3));
    }
    await Promise.all(pushes);
    const seen: unknown[] = [];
    while (seen.length < 400) seen.push(await one.next('chat:n'));
    expect(seen).toEqual(Array.from({ length: 400 }, (_, n) => n));
  });
});

describe('on', () => {
  it('hands channel pushes to server code, and account pushes not', async () => {
    const { bus } = await startLoopApp();
    const seen: unknown[] = [];
    const subscription = bus.on('billing:invoice.*').subscribe((envelope) => seen.push(envelope));
    await bus.pushToChannel('billing:invoice.paid', { at: new Date(0) }, { id: 'p-1' });
    await bus.pushToChannel('billing:order.paid', 1);
    await bus.pushToAccount('acme', 'billing:invoice.sent', 1);
    subscription.unsubscribe();
    await bus.pushToChannel('billing:invoice.paid', 2);
    expect(seen).toEqual([
      {
        name: 'billing:invoice.paid',
        service: 'billing',
        event: 'invoice.paid',
        data: { at: '1970-01-01T00:00:00.000Z' },
        id: 'p-1',
      },
    ]);
  });
});

describe('disconnect', () => {
  it('closes all connections of an account, or one, with the code that was asked for', async () => {
    const { bus, client, get } = await startLoopApp();
    const [a, b, other] = [
      await client('acme', { connectionId: 'a' }),
      await client('acme'),
      await client('other'),
    ];
    expect(await bus.disconnect('acme', 'a', CloseCode.CredentialsExpired, 'Logged out.')).toEqual({
      closed: 1,
      complete: true,
    });
    expect(await a.closed).toEqual({ code: 4501, reason: 'Logged out.' });
    expect(await bus.disconnect('acme')).toEqual({ closed: 1, complete: true });
    expect((await b.closed).code).toBe(4503);
    await other.ask({ op: 'ping' });
    expect(get(ConnectionRegistry).size).toBe(1);
  });

  it('P5: closes nobody when the order is none', async () => {
    const { bus, client, get } = await startLoopApp();
    const one = await client('42', { connectionId: '7' });
    const registry = get(ConnectionRegistry);
    for (const [account, connection, code] of [
      [42 as never, '7', 4000],
      ['42', 7 as never, 4000],
      ['42', '7', 1006],
    ] as const) {
      await expect(bus.disconnect(account, connection, code)).rejects.toThrow(LoopPushError);
    }
    expect(() => registry.disconnect(42 as never)).toThrow(/accountId is of type number/);
    expect(() => registry.disconnect('42', 7 as never)).toThrow(/connectionId is of type number/);
    await one.ask({ op: 'ping' });
    expect(registry.size).toBe(1);
  });
});
