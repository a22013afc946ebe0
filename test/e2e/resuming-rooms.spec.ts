import { jest } from '@jest/globals';
import { ConnectionRegistry, type LoopConnection } from '../../lib/index.js';
import type { LoopTestClient } from '../../lib/testing/index.js';
import { MemoryHistory } from '../../lib/transport/memory/memory-history.js';
import { MemoryTransport } from '../../lib/transport/memory/memory.transport.js';
import { comeBack, dataOf, subscribe, toldPositions } from '../support/durable-client.js';
import { deferred } from '../support/eventually.js';
import { closeLoopApps, type LoopApp, startLoopApp } from '../support/loop-app.js';

let server: LoopApp;
beforeEach(async () => {
  const services = { chat: { history: { size: 10, ttlMs: 60_000 } } };
  server = await startLoopApp({ options: { services, defaultSubscriptions: ['chat:*'] } });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await closeLoopApps();
});

const connection = (): LoopConnection => server.get(ConnectionRegistry).get('acme', 'phone')!;

describe('a room of a client that comes back', () => {
  /** A client that was in the room, and has come back; the room is not joined yet. */
  async function backFromLobby(): Promise<{
    client: LoopTestClient;
    since: Record<string, string>;
  }> {
    const before = await server.client('acme', { connectionId: 'phone' });
    await connection().join('lobby');
    const since = await toldPositions(before);
    await before.close();
    await server.bus.pushToRoom('lobby', 'chat:n', 'while away');
    return { client: await comeBack(server), since };
  }

  it('P3: is resumed although it is only being joined', async () => {
    const { client, since } = await backFromLobby();
    const { promise: attached, resolve: attach } = deferred();
    const original = MemoryTransport.prototype.attach;
    jest.spyOn(MemoryTransport.prototype, 'attach').mockImplementationOnce(async function (
      this: MemoryTransport,
      topics,
    ) {
      await attached;
      return original.call(this, topics);
    });
    const joining = connection().join('lobby');
    const answering = subscribe(client, since);
    await client.ask({ op: 'ping' });
    await server.bus.pushToRoom('lobby', 'chat:n', 'in between');
    attach();
    await joining;
    expect(await answering).toMatchObject({ resumed: { 'room:lobby': 2 }, reset: {} });
    await server.bus.pushToRoom('lobby', 'chat:n', 'after');
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual(['while away', 'in between', 'after']);
  });

  it('P3: that cannot be joined is none of the topics', async () => {
    const { client, since } = await backFromLobby();
    const { promise: attached, resolve: refuse } = deferred();
    jest.spyOn(MemoryTransport.prototype, 'attach').mockImplementationOnce(async () => {
      await attached;
      throw new Error('no');
    });
    const joining = connection().join('lobby');
    const answering = subscribe(client, since);
    await client.ask({ op: 'ping' });
    refuse();
    await expect(joining).rejects.toThrow('no');
    expect(await answering).toMatchObject({ resumed: {}, reset: {} });
  });

  it('gets who leaves it during a replay nothing that was pushed later', async () => {
    const { client, since } = await backFromLobby();
    await connection().join('lobby');
    const original = MemoryHistory.prototype.since;
    jest.spyOn(MemoryHistory.prototype, 'since').mockImplementationOnce(async function (
      this: MemoryHistory,
      ...args
    ) {
      connection().leave('lobby');
      await server.bus.pushToRoom('lobby', 'chat:n', 'secret');
      return original.apply(this, args);
    });
    await subscribe(client, since);
    await client.ask({ op: 'ping' });
    expect(dataOf(client)).toEqual([]);
  });
});
