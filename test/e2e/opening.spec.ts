import { Injectable, Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { WebSocket } from 'ws';
import {
  ConnectionRegistry,
  EventBus,
  LoopConnection,
  OnAccountOnline,
  OnLoopConnect,
  OnLoopDisconnect,
  PresenceStore,
} from '../../lib/index.js';
import { LoopTestClient, MemoryCluster } from '../../lib/testing/index.js';
import { deferred, eventually } from '../support/eventually.js';
import { closeLoopApps, startLoopApp } from '../support/loop-app.js';

afterEach(closeLoopApps);
afterEach(() => {
  jest.restoreAllMocks();
});

/** Resolves with the status of a refused upgrade, or 101. */
function upgradeStatus(url: string, token: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, ['loopws.v1', `bearer.${token}`]);
    socket.on('error', () => {});
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode!));
  });
}

describe('two connections of one identity that open at the same time', () => {
  it('one that its client gave up does not replace the one that it has on another server', async () => {
    const cluster = new MemoryCluster();
    const joined = (): object => ({ transport: cluster.transport(), presence: cluster.presence() });
    const opening: LoopConnection[] = [];
    @Injectable()
    class Openings {
      @OnLoopConnect()
      connect(connection: LoopConnection): void {
        opening.push(connection);
      }
    }
    const slow = await startLoopApp({
      providers: [Openings],
      options: { serverId: 'slow', ...joined() },
    });
    const quick = await startLoopApp({ options: { serverId: 'quick', ...joined() } });
    const presence = slow.get(PresenceStore);
    const register = presence.register.bind(presence);
    const registering = deferred();
    const held = deferred();
    jest.spyOn(presence, 'register').mockImplementationOnce(async (registration) => {
      registering.resolve();
      await held.promise;
      return register(registration);
    });
    const unregister = jest.spyOn(presence, 'unregister');
    const givenUp = new WebSocket(`${slow.url}?connectionId=phone`, ['loopws.v1', 'bearer.acme']);
    await registering.promise;
    givenUp.on('error', () => {}); // it was not open yet
    givenUp.terminate();
    await eventually('its server has seen the end', () => opening[0]!.state === 'closed');
    await quick.client('acme', { connectionId: 'phone' });
    held.resolve();
    await eventually('it has left', () => unregister.mock.results.length === 1);
    await unregister.mock.results[0]!.value;
    expect(await quick.bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
  });

  it('the one whose socket is newer stays, however long the older takes to get ready', async () => {
    const gate = deferred();
    let first = true;
    @Injectable()
    class SlowAtFirst {
      @OnLoopConnect()
      async connect(): Promise<void> {
        if (!first) return;
        first = false;
        await gate.promise;
      }
    }
    const { client, bus, url, get } = await startLoopApp({ providers: [SlowAtFirst] });
    const older = new WebSocket(`${url}?connectionId=phone`, ['loopws.v1', 'bearer.acme']);
    const olderClosed = new Promise<number>((resolve) => older.on('close', resolve));
    await eventually('the older is opening', () => !first);
    const newer = await client('acme', { connectionId: 'phone' });
    gate.resolve();
    expect(await olderClosed).toBe(4509);
    expect(await bus.pushToConnection('acme', 'phone', 'chat:n', 1)).toBe('delivered');
    expect(await newer.next('chat:n')).toBe(1);
    expect(get(ConnectionRegistry).size).toBe(1);
    await eventually('presence has one', async () => {
      return (await get(PresenceStore).connectionsOf('acme')).length === 1;
    });
  });
});

describe('P5: whoever is told of a new connection finds it listening', () => {
  it('@OnAccountOnline can push to the account', async () => {
    @Injectable()
    class Backlog {
      constructor(private readonly bus: EventBus) {}

      @OnAccountOnline()
      async online(accountId: string): Promise<void> {
        await this.bus.pushToAccount(accountId, 'chat:backlog', 'waiting for you');
      }
    }
    const { client } = await startLoopApp({ providers: [Backlog] });
    expect(await (await client()).next('chat:backlog')).toBe('waiting for you');
  });

  it('a subscriber of events$ can push to the connection that it is told of', async () => {
    const { client, get, bus } = await startLoopApp();
    const results: unknown[] = [];
    get(ConnectionRegistry).events$.subscribe(({ type, connection }) => {
      if (type !== 'opened') return;
      const { accountId, connectionId } = connection;
      void bus
        .pushToConnection(accountId, connectionId, 'chat:hello', 1)
        .then((result) => results.push(result));
    });
    const one = await client();
    expect(await one.next('chat:hello')).toBe(1);
    expect(results).toEqual(['delivered']);
  });

  it('the @OnLoopDisconnect of a replaced connection can push to its successor', async () => {
    @Injectable()
    class Handover {
      constructor(private readonly bus: EventBus) {}

      @OnLoopDisconnect()
      async disconnect({ accountId }: LoopConnection, { code }: { code: number }): Promise<void> {
        if (code === 4509) await this.bus.pushToAccount(accountId, 'chat:handover', 'yours now');
      }
    }
    const { client } = await startLoopApp({ providers: [Handover] });
    await client('acme', { connectionId: 'phone' });
    const successor = await client('acme', { connectionId: 'phone' });
    expect(await successor.next('chat:handover')).toBe('yours now');
  });
});

describe('limits hold when connections arrive together', () => {
  it('P6: maxConnectionsPerAccount, when their authentications settle at once', async () => {
    const gate = deferred();
    let asked = 0;
    const { url, get } = await startLoopApp({
      options: {
        authenticate: async () => {
          asked++;
          await gate.promise;
          return { accountId: 'acme' };
        },
        config: { maxConnectionsPerAccount: 3 },
      },
    });
    const upgrades = Array.from({ length: 8 }, () => upgradeStatus(url, 'acme'));
    await eventually('all are asked for', () => asked === 8);
    gate.resolve();
    const statuses = await Promise.all(upgrades);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([101, 101, 101, 429, 429, 429, 429, 429]);
    await eventually('three are open', () => get(ConnectionRegistry).size === 3);
  });

  it('one identity may exceed it by one socket, its own successor, and by no more', async () => {
    const gate = deferred();
    const { url, client } = await startLoopApp({
      options: {
        authenticate: ({ token }) => ({
          accountId: 'acme',
          connectionId: 'phone',
          claims: { token },
        }),
        authorize: async ({ claims }) => {
          if (claims.token === 'slow') await gate.promise;
          return true;
        },
        config: { maxConnectionsPerAccount: 1 },
      },
    });
    await client('first');
    expect(await upgradeStatus(url, 'slow')).toBe(101);
    expect(await upgradeStatus(url, 'slow')).toBe(429);
    gate.resolve();
  });

  it('requests that are refused for their origin do not use up the rate of the others', async () => {
    const { port, client } = await startLoopApp({
      options: { config: { upgradeBurst: 3, upgradesPerSecond: 1 } },
    });
    const strangers = Array.from({ length: 10 }, () => {
      return new Promise<number>((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
          origin: 'https://evil.example',
        });
        socket.on('error', () => {});
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode!));
      });
    });
    expect(new Set(await Promise.all(strangers))).toEqual(new Set([403]));
    expect((await client()).welcome.accountId).toBe('acme');
  });
});

describe('P3: a default subscription that authorize cannot decide', () => {
  it('is not left out in silence: the connection is closed with 1013, and the next one has it', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    let isAway = true;
    const { client, url } = await startLoopApp({
      options: {
        defaultSubscriptions: ['chat:*', 'billing:*'],
        authorize: (_, pattern) => {
          if (isAway && pattern === 'billing:*') throw new Error('The directory is away.');
          return true;
        },
      },
    });
    const socket = new WebSocket(url, ['loopws.v1', 'bearer.acme']);
    const frames: unknown[] = [];
    socket.on('message', (frame) => frames.push(frame));
    const code = await new Promise<number>((resolve) => socket.on('close', resolve));
    expect([code, frames]).toEqual([1013, []]);
    isAway = false;
    expect((await client()).welcome.subscriptions).toEqual(['chat:*', 'billing:*']);
  });
});
describe('an upgrade of a path that nobody takes, beside another listener', () => {
  it('is answered with 404 after strayUpgradeTimeoutMs, and does not keep the application from closing', async () => {
    const loopApp = await startLoopApp({
      options: { config: { strayUpgradeTimeoutMs: 20 } },
      prepare: (app) => app.getHttpServer().on('upgrade', () => {}),
    });
    const stray = (): Promise<number> => upgradeStatus(loopApp.url.replace('/ws', '/nowhere'), 'x');
    expect(await stray()).toBe(404);
    expect((await LoopTestClient.connect(loopApp.app, { token: 'acme' })).welcome.accountId).toBe(
      'acme',
    );
    await loopApp.close();
  });
});
