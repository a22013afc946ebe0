import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { connect } from '../../../lib/client/index.js';
import { ScriptedServer, TestClient } from './scripted-server.js';
import { openLink } from './still-socket.js';

describe('an attempt to connect', () => {
  let server: ScriptedServer;
  const mute = createServer((socket) => mutes.add(socket));
  const mutes = new Set<Socket>();

  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(async () => {
    jest.useRealTimers();
    await server.stop();
    if (!mute.listening) return;
    for (const socket of mutes) socket.destroy();
    mutes.clear();
    mute.close();
    await once(mute, 'close');
  });

  /** Of a server that accepts and never speaks HTTP. */
  async function muteUrl(): Promise<string> {
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    return `ws://127.0.0.1:${(mute.address() as AddressInfo).port}`;
  }

  it('comes back after an HTTP refusal, which browsers cannot see', async () => {
    server.refuseWith = 503;
    const { nextState } = server.client();
    expect(await nextState('waiting')).toMatchObject({ code: 1006 });

    server.refuseWith = undefined;
    await nextState('open');
    expect(server.attempts.all[0]).toBe('refused');
  });

  it('comes back at once when only an error tells that a connection could not be made, as on Node 22', async () => {
    class FailingSocket {
      readonly readyState = 0;
      readonly bufferedAmount = 0;
      addEventListener(type: string, listener: (event: never) => unknown): void {
        if (type === 'error') setImmediate(() => listener({} as never));
      }
      send(): void {}
      close(): void {}
    }
    const loop = connect('ws://nowhere', { WebSocket: FailingSocket, connectTimeoutMs: 60_000 });
    const { nextState } = new TestClient(loop);

    expect(await nextState('waiting')).toMatchObject({ code: 1006 });
    expect(await nextState('connecting')).toMatchObject({ attempt: 1 });
    loop.close();
  });

  it('gives up an attempt without a welcome after connectTimeoutMs', async () => {
    server.welcome = undefined;
    const { nextState } = server.client({ connectTimeoutMs: 40 });

    expect(await nextState('waiting')).toMatchObject({
      code: 4408,
      reason: '',
    });
    server.welcome = {};
    await nextState('open');
  });

  it('lets a connection live on after connectTimeoutMs once it is open', async () => {
    jest.useFakeTimers();
    const { states } = await openLink({ heartbeatMs: 0 }, { connectTimeoutMs: 400 });

    jest.advanceTimersByTime(1_000);

    expect(states.map(({ state }) => state)).toEqual(['connecting', 'open']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives up an attempt at a server that accepts and never speaks HTTP', async () => {
    const loop = connect(await muteUrl(), { WebSocket, connectTimeoutMs: 40 });

    expect(await new TestClient(loop).nextState('waiting')).toMatchObject({ code: 4408 });
    loop.close();
  });

  it('ends an attempt once that is given up, though the socket reports that at once, as on Node 22', async () => {
    class FailsInClose extends WebSocket {
      override close(code?: number): void {
        if (this.readyState === WebSocket.CONNECTING) this.emit('error', new Error('closed'));
        super.close(code);
      }
    }
    const loop = connect(await muteUrl(), {
      WebSocket: FailsInClose,
      connectTimeoutMs: 40,
    });
    const { states, nextState } = new TestClient(loop);

    expect(await nextState('waiting')).toMatchObject({ code: 4408 });
    loop.close();
    expect(await nextState('closed')).toMatchObject({ code: 1000 });
    expect(states.all.filter(({ state }) => state === 'waiting')).toHaveLength(1);
  });
});
