import { Injectable } from '@nestjs/common';
import { WebSocket } from 'ws';
import { ConnectionRegistry, type LoopConnection, OnLoopConnect } from '../../lib/index.js';
import { MemoryCluster } from '../../lib/testing/index.js';
import { deferred, eventually } from '../support/eventually.js';
import {
  closeLoopApps,
  type LoopApp,
  type LoopAppOptions,
  startLoopApp,
} from '../support/loop-app.js';

afterEach(closeLoopApps);

interface SlowApp {
  readonly app: LoopApp;
  /** What waits in the hook. */
  readonly opening: LoopConnection[];
  readonly goOn: () => void;
}

/** A server whose hook keeps connections opening until it may go on. */
async function startSlowApp(options: LoopAppOptions = {}): Promise<SlowApp> {
  const gate = deferred();
  const opening: LoopConnection[] = [];
  @Injectable()
  class SlowGreeting {
    @OnLoopConnect()
    async connect(connection: LoopConnection): Promise<void> {
      opening.push(connection);
      await gate.promise;
    }
  }
  const app = await startLoopApp({ providers: [SlowGreeting], options });
  return { app, opening, goOn: () => gate.resolve() };
}

/** Comes to the hook; gives the promise of the code that the socket is closed with. */
async function open(
  { app, opening }: SlowApp,
  connectionId: string,
): Promise<{ readonly closed: Promise<number> }> {
  const socket = new WebSocket(`${app.url}?connectionId=${connectionId}`, [
    'loopws.v1',
    'bearer.acme',
  ]);
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await eventually('it is opening', () =>
    opening.some((connection) => connection.connectionId === connectionId),
  );
  return { closed };
}

describe('P5: disconnect closes and counts connections that are still opening', () => {
  it('all of the account, and nothing of it opens later', async () => {
    const slow = await startSlowApp();
    const [phone, laptop] = [await open(slow, 'phone'), await open(slow, 'laptop')];
    expect(await slow.app.bus.disconnect('acme')).toEqual({ closed: 2, complete: true });
    slow.goOn();
    expect([await phone.closed, await laptop.closed]).toEqual([4503, 4503]);
    expect(slow.app.get(ConnectionRegistry).size).toBe(0);
    expect(await slow.app.bus.disconnect('acme')).toEqual({ closed: 0, complete: true });
  });

  it('the one that is named, and no other', async () => {
    const slow = await startSlowApp();
    const [phone] = [await open(slow, 'phone'), await open(slow, 'laptop')];
    expect(await slow.app.bus.disconnect('acme', 'phone')).toMatchObject({ closed: 1 });
    expect(await phone.closed).toBe(4503);
    slow.goOn();
    const registry = slow.app.get(ConnectionRegistry);
    await eventually('the other is open', () => registry.get('acme', 'laptop') !== undefined);
    expect(registry.size).toBe(1);
  });

  it('on other servers too', async () => {
    const cluster = new MemoryCluster();
    const joined = (): LoopAppOptions => ({
      transport: cluster.transport(),
      presence: cluster.presence(),
    });
    const slow = await startSlowApp({ serverId: 'slow', ...joined() });
    const other = await startLoopApp({ options: { serverId: 'other', ...joined() } });
    const phone = await open(slow, 'phone');
    expect(await other.bus.disconnect('acme')).toEqual({ closed: 1, complete: true });
    expect(await phone.closed).toBe(4503);
    slow.goOn();
  });
});
