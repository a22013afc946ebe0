import { Injectable } from '@nestjs/common';
import { WebSocket } from 'ws';
import {
  ConnectionRegistry,
  EventBus,
  LoopConnection,
  LoopWsException,
  OnLoopEvent,
} from '../../lib/index.js';
import {
  connect,
  LoopClientError,
  type LoopClient,
  type LoopClientOptions,
  type LoopState,
} from '../../lib/client/index.js';
import type { WebSocketConstructor } from '../../lib/client/index.js';
import { eventually } from '../support/eventually.js';
import {
  closeLoopApps,
  loopModule,
  startLoopApp,
  track,
  type LoopApp,
} from '../support/loop-app.js';
import { Test } from '@nestjs/testing';

const clients: LoopClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await closeLoopApps();
});

function connectTo({ url }: LoopApp, options: Partial<LoopClientOptions> = {}): LoopClient {
  const client = connect(url, {
    token: 'acme',
    WebSocket: WebSocket as unknown as WebSocketConstructor,
    backoff: { baseMs: 20, capMs: 100 },
    ...options,
  });
  clients.push(client);
  return client;
}

/** Resolves with the events of a pattern as they come: call it once per event. */
function eventsOf(client: LoopClient, pattern: string): () => Promise<unknown> {
  const seen: unknown[] = [];
  client.on(pattern as 'chat:*', (data) => {
    seen.push(data);
  });
  return async () => {
    await eventually(`an event of ${pattern}`, () => seen.length > 0);
    return seen.shift();
  };
}

function stateOf(client: LoopClient, wanted: LoopState): Promise<void> {
  return eventually(`the client is ${wanted}`, () => client.state === wanted);
}

function leftOpen(client: LoopClient): Promise<void> {
  return new Promise((resolve) => {
    client.onState((state) => {
      if (state !== 'open') resolve();
    });
  });
}

async function restart(port: number): Promise<LoopApp> {
  const built = await Test.createTestingModule({ imports: [loopModule()] }).compile();
  const app = built.createNestApplication();
  await app.listen(port, '127.0.0.1');
  return track(app);
}

@Injectable()
class Chat {
  @OnLoopEvent('chat:message.send')
  send(body: { text: string }, connection: LoopConnection): unknown {
    if (body.text === '') throw new LoopWsException('empty', 'Say something.', { field: 'text' });
    return { text: body.text, by: connection.accountId };
  }
}

describe('the client against the server', () => {
  it('subscribes by itself, gets events, asks a handler and learns its refusal', async () => {
    const app = await startLoopApp({ providers: [Chat], options: { defaultSubscriptions: [] } });
    const client = connectTo(app);
    const next = eventsOf(client, 'billing:invoice.*');
    await client.ready();
    expect(await app.bus.pushToAccount('acme', 'billing:invoice.paid', { id: 1 })).toMatchObject({
      delivered: 1,
    });
    expect(await next()).toEqual({ id: 1 });
    expect(await client.request('chat:message.send', { text: 'hi' })).toEqual({
      text: 'hi',
      by: 'acme',
    });
    await expect(client.request('chat:message.send', { text: '' })).rejects.toMatchObject({
      code: 'empty',
      details: { field: 'text' },
    });
    await expect(client.request('chat:nobody', 1)).rejects.toMatchObject({ code: 'no_handler' });
    expect(await client.ping()).toBeGreaterThanOrEqual(0);
  });

  it('answers what the server asks, and refuses with a code', async () => {
    const app = await startLoopApp({ options: { defaultSubscriptions: [] } });
    const client = connectTo(app, { connectionId: 'phone' });
    client.answer('device:status', (data) => ({ battery: 80, data }));
    client.answer('device:reboot', () => {
      throw new LoopClientError('busy', 'Updating.');
    });
    await client.ready();
    const ask = (name: 'device:status' | 'device:reboot') =>
      app.get(EventBus).ask('acme', 'phone', name, 1, { timeoutMs: 2_000 });
    expect(await ask('device:status')).toEqual({ battery: 80, data: 1 });
    await expect(ask('device:reboot')).rejects.toMatchObject({
      reason: 'refused',
      details: { code: 'busy' },
    });
  });

  it('P9: comes back after a restart of the server, subscribed as before, and never saw 1006', async () => {
    const app = await startLoopApp({ options: { defaultSubscriptions: [] } });
    const client = connectTo(app, { connectionId: 'phone' });
    const codes: number[] = [];
    client.onState((_state, change) => {
      if (change.state === 'waiting' && change.code !== undefined) codes.push(change.code);
    });
    const next = eventsOf(client, 'chat:*');
    await client.ready();
    await app.close();
    await stateOf(client, 'waiting');
    const again = await restart(app.port);
    await client.ready();
    expect(codes[0]).toBe(1012);
    expect(await again.bus.pushToConnection('acme', 'phone', 'chat:n', 'back')).toBe('delivered');
    expect(await next()).toBe('back');
  });

  it.each([
    [4509, 'closed'],
    [4503, 'closed'],
    [4408, 'open'],
    [3000, 'open'],
  ] as const)('obeys the close-code rule: after %i it is %s', async (code, state) => {
    const app = await startLoopApp();
    const client = connectTo(app, { connectionId: 'phone' });
    await client.ready();
    const left = leftOpen(client);
    app.get(ConnectionRegistry).disconnect('acme', 'phone', code);
    await left;
    await stateOf(client, state);
    expect(app.get(ConnectionRegistry).size).toBe(state === 'open' ? 1 : 0);
  });

  it('keeps its identity over a reconnect: the new socket replaces the old one at once', async () => {
    const app = await startLoopApp();
    const client = connectTo(app);
    const { connectionId } = await client.ready();
    const left = leftOpen(client);
    app.get(ConnectionRegistry).disconnect('acme', connectionId, 4408);
    await left;
    expect((await client.ready()).connectionId).toBe(connectionId);
    expect(app.get(ConnectionRegistry).size).toBe(1);
  });

  it.each([
    ['short', 300, 0],
    ['long', 60, 16_000],
  ])(
    'sends what has waited as fast as the server takes it, when it is %s',
    async (_what, count, pad) => {
      const seen: number[] = [];
      @Injectable()
      class Counter {
        @OnLoopEvent('chat:count')
        count({ n }: { n: number }): void {
          seen.push(n);
        }
      }
      const app = await startLoopApp({
        providers: [Counter],
        options: { config: { framesPerSecond: 1_000, frameBurst: 20, refusalsPerMinute: 1 } },
      });
      const client = connectTo(app);
      const problems: unknown[] = [];
      client.onError((error) => problems.push(error));
      for (let n = 0; n < count; n++) client.send('chat:count', { n, pad: 'x'.repeat(pad) });
      await eventually('all have arrived', () => seen.length === count);
      expect(seen).toEqual(Array.from({ length: count }, (_, n) => n));
      expect(problems).toEqual([]);
      expect(client.state).toBe('open');
    },
  );

  it.each(['the token function', 'onError', 'a handler', 'a listener of the state'])(
    'close() is the last word, also from %s',
    async (where) => {
      const app = await startLoopApp();
      const closed = (place: string): void => {
        if (where === place && connected) client.close();
      };
      let connected = false;
      const client = connectTo(app, {
        connectionId: 'phone',
        token: () => {
          closed('the token function');
          return 'acme';
        },
      });
      const first: LoopState[] = [];
      const second: LoopState[] = [];
      client.onError(() => closed('onError'));
      client.on('chat:*', () => {
        closed('a handler');
        throw new Error('reported to onError');
      });
      client.onState((state) => {
        first.push(state);
        if (state === 'waiting') closed('a listener of the state');
      });
      client.onState((state) => second.push(state));
      await client.ready();
      connected = true;
      await app.bus.pushToAccount('acme', 'chat:n', 1);
      app.get(ConnectionRegistry).disconnect('acme', 'phone', 4408);
      await stateOf(client, 'closed');
      await eventually('everyone was told', () => second.at(-1) === 'closed');
      await eventually('nobody is connected', () => app.get(ConnectionRegistry).size === 0);
      expect(second).toEqual(first);
      expect(first.filter((state) => state === 'closed')).toHaveLength(1);
      expect(first.at(-1)).toBe('closed');
    },
  );

  it('renews its credentials in place before they expire, and is not cut', async () => {
    const tokens: string[] = [];
    const app = await startLoopApp({
      options: {
        authenticate: ({ token }) => {
          tokens.push(token!);
          return { accountId: 'acme', claims: { token }, expiresAt: Date.now() + 4_000 };
        },
      },
    });
    let issued = 0;
    const client = connectTo(app, { connectionId: 'phone', token: () => `t${++issued}` });
    await client.ready();
    await eventually('a fresh token was taken', () => tokens.length >= 2);
    const connection = app.get(ConnectionRegistry).get('acme', 'phone')!;
    await eventually('the claims are new', () => connection.claims.token === 't2');
    expect(client.state).toBe('open');
  });

  it('is closed for good with 4501 when its credentials expire and it has no others', async () => {
    const app = await startLoopApp({
      options: {
        authenticate: () => ({ accountId: 'acme', expiresAt: new Date(Date.now() + 1_500) }),
      },
    });
    const client = connectTo(app);
    const { expiresInMs } = await client.ready();
    expect(expiresInMs).toBeLessThanOrEqual(1_500);
    const closed = new Promise<number | undefined>((resolve) => {
      client.onState((_state, change) => {
        if (change.state === 'closed') resolve(change.code);
      });
    });
    expect(await closed).toBe(4501);
  });
});
