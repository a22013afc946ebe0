import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { ConnectionRegistry, PresenceStore } from '../../lib/index.js';
import { edgeLog } from '../support/edge-log.js';
import { eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

describe('a second connection with the same identity', () => {
  it('P7: replaces the first, which is told 4509; the account never looks offline', async () => {
    const edges: string[] = [];
    const { client, bus, get } = await startLoopApp({ providers: [edgeLog(edges)] });
    const first = await client('acme', { connectionId: 'phone' });
    const second = await client('acme', { connectionId: 'phone' });
    expect((await first.closed).code).toBe(4509);
    expect(get(ConnectionRegistry).size).toBe(1);
    expect(await bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
    expect(await second.next('chat:n')).toBe(1);
    expect(await get(PresenceStore).connectionsOf('acme')).toHaveLength(1);
    await second.close();
    await eventually('the account is offline', () => edges.length === 2);
    expect(edges).toEqual(['+acme', '-acme']);
  });
});

describe('ConnectionRegistry', () => {
  it('is what this server has: size, look-up, iteration and events', async () => {
    const { client, get } = await startLoopApp();
    const registry = get(ConnectionRegistry);
    const events: string[] = [];
    registry.events$.subscribe(({ type, connection }) =>
      events.push(`${type} ${connection.connectionId}`),
    );
    const phone = await client('acme', { connectionId: 'phone' });
    await client('acme', { connectionId: 'laptop' });
    await client('other', { connectionId: 'phone' });
    expect(registry.size).toBe(3);
    expect(registry.ofAccount('acme')).toHaveLength(2);
    expect(registry.get('acme', 'phone')!.accountId).toBe('acme');
    expect([...registry].map(({ accountId }) => accountId)).toEqual(['acme', 'acme', 'other']);
    await phone.close();
    await eventually('it is gone', () => registry.size === 2);
    await eventually('and that is told', () => events.length === 4);
    expect(events).toEqual(['opened phone', 'opened laptop', 'opened phone', 'closed phone']);
  });
});

describe('an observer of events$', () => {
  it('that throws is logged, goes on observing, and harms nobody', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const { client, get } = await startLoopApp();
    let seen = 0;
    get(ConnectionRegistry).events$.subscribe(() => {
      seen++;
      throw new Error('observer broke');
    });
    await (await client()).close();
    await client('other');
    await eventually('all three were seen', () => seen === 3);
    expect(log.mock.calls.flat().join()).toContain('observer broke');
  });
});

describe('LoopConnection', () => {
  it('P6: is in no room whose name is that of another one to other servers, or as long as it likes', async () => {
    const { client, get } = await startLoopApp({ options: { config: { maxIdLength: 40 } } });
    await client('acme', { connectionId: 'phone' });
    const connection = get(ConnectionRegistry).get('acme', 'phone')!;
    for (const half of ['\ud800', 'lobby\udfff']) {
      await expect(connection.join(half)).rejects.toThrow(/half a surrogate pair.*isWellFormed/);
      connection.leave(half);
    }
    await expect(connection.join('r'.repeat(41))).rejects.toThrow(/41.*config.maxIdLength \(40\)/);
    await connection.join('\ufffd\u{1f600}'.padEnd(40, 'r'));
    expect(connection.rooms.size).toBe(1);
  });

  it('subscribes, joins and leaves on the authority of server code, within the limits', async () => {
    const { client, get, bus } = await startLoopApp({
      options: {
        defaultSubscriptions: [],
        authorize: () => false,
        config: { maxSubscriptions: 2, maxRooms: 1 },
      },
    });
    const one = await client('acme', { connectionId: 'phone' });
    const connection = get(ConnectionRegistry).get('acme', 'phone')!;
    await connection.subscribe('chat:*', 'chat:*', 'billing:*');
    await connection.join('lobby');
    await expect(connection.subscribe('device:*')).rejects.toThrow(/config.maxSubscriptions/);
    await expect(connection.subscribe('nope' as 'a:b')).rejects.toThrow(/not a valid pattern/);
    await expect(connection.subscribe('crm:*')).rejects.toThrow(/not declared/);
    await expect(connection.join('')).rejects.toThrow(/non-empty string/);
    await expect(connection.join('other')).rejects.toThrow(/config.maxRooms/);
    expect([...connection.subscriptions, ...connection.rooms]).toEqual([
      'chat:*',
      'billing:*',
      'lobby',
    ]);
    expect((await bus.pushToRoom('lobby', 'chat:n', 1)).delivered).toBe(1);
    connection.unsubscribe('chat:*');
    connection.leave('lobby');
    expect(await bus.pushToAccount('acme', 'chat:n', 2)).toMatchObject({
      delivered: 0,
      filtered: 1,
    });
    expect(connection.send('device:direct', 3)).toBe('delivered');
    expect(await one.next('device:direct')).toBe(3);
    expect(() => connection.send('crm:x', 1)).toThrow(/not declared/);
    connection.close();
    expect(connection.send('device:direct', 4)).toBe('send_failed');
    expect((await one.closed).code).toBe(1000);
  });
});
