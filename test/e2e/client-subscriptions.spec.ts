import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import {
  connect,
  type LoopClient,
  LoopClientError,
  type WebSocketConstructor,
} from '../../lib/client/index.js';
import { ConnectionRegistry } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import {
  closeLoopApps,
  startLoopApp,
  type LoopApp,
  type LoopAppOptions,
} from '../support/loop-app.js';

interface Side {
  readonly app: LoopApp;
  readonly client: LoopClient;
  readonly errors: LoopClientError[];
}

const clients: LoopClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await closeLoopApps();
});

async function start(options: LoopAppOptions, token = 'acme'): Promise<Side> {
  const app = await startLoopApp({ options: { defaultSubscriptions: [], ...options } });
  const client = connect(app.url, {
    token,
    connectionId: 'phone',
    WebSocket: WebSocket as unknown as WebSocketConstructor,
    backoff: { baseMs: 20, capMs: 100 },
  });
  clients.push(client);
  const errors: LoopClientError[] = [];
  client.onError((error) => errors.push(error));
  return { app, client, errors };
}

function listenTo(client: LoopClient, count: number): void {
  for (let n = 0; n < count; n++) client.on(`chat:n${n}`, () => {});
}

function held({ app }: Side): readonly string[] {
  return [...(app.get(ConnectionRegistry).get('acme', 'phone')?.subscriptions ?? [])];
}

async function reconnect({ app, client }: Side): Promise<void> {
  const left = new Promise<void>((resolve) => {
    const off = client.onState((state) => {
      if (state !== 'waiting') return;
      off();
      resolve();
    });
  });
  app.get(ConnectionRegistry).disconnect('acme', 'phone', 4408);
  await left;
  await client.ready();
}

describe('the subscriptions of the client against the server', () => {
  it('come back after a reconnect as far as the server has places, and the rest is denied by name', async () => {
    const side = await start({});
    listenTo(side.client, 150);
    await side.client.ready();
    listenTo(side.client, 205);
    await side.client.ready();
    side.errors.length = 0;

    await reconnect(side);

    expect(held(side)).toHaveLength(200);
    expect(side.errors.map(({ code }) => code)).toEqual(
      Array.from({ length: 5 }, () => 'too_many_subscriptions'),
    );
    expect(side.errors[0]).toBeInstanceOf(LoopClientError);
  });

  it('fit a server that takes fewer patterns than one frame has', async () => {
    const side = await start({ config: { maxSubscriptions: 30 } });
    listenTo(side.client, 120);
    await side.client.ready();

    expect(held(side)).toHaveLength(30);
    expect(side.errors).toHaveLength(90);
    expect(side.client.state).toBe('open');
  });

  it.each([256, 272, 1_024, 1_088])(
    'fit into frames of %s bytes, however long they are',
    async (maxPayload) => {
      const side = await start({ config: { maxPayload } });
      const names = Array.from({ length: 20 }, (_, n) => `chat:${String(n).padStart(123, 'n')}`);
      for (const name of names) side.client.on(name as '*:*', () => {});
      await side.client.ready();

      expect([...held(side)].toSorted()).toEqual(names.toSorted());
      expect(side.errors).toEqual([]);
    },
  );

  it('that only look like patterns are denied by name', async () => {
    const side = await start({});
    side.client.on('chat:in*' as '*:*', () => {});
    side.client.on('chat:*', () => {});
    await side.client.ready();

    expect(side.errors).toMatchObject([{ code: 'bad_pattern', pattern: 'chat:in*' }]);
    expect(held(side)).toEqual(['chat:*']);
  });

  it('that narrower credentials end are reported, and come back with broader ones', async () => {
    const side = await start(
      {
        authenticate: ({ token }) => ({ accountId: 'acme', claims: { scope: token } }),
        authorize: ({ claims }, pattern) => claims.scope === 'all' || pattern === 'chat:*',
      },
      'all',
    );
    side.client.on('chat:*', () => {});
    side.client.on('billing:*', () => {});
    await side.client.ready();

    await side.client.authenticate('few');
    expect(side.errors).toMatchObject([{ code: 'forbidden', pattern: 'billing:*' }]);
    expect(held(side)).toEqual(['chat:*']);

    await side.client.authenticate('all');
    await side.client.ready();
    expect([...held(side)].toSorted()).toEqual(['billing:*', 'chat:*']);
  });

  it('survive a token that the server refuses: the next connection has the good one', async () => {
    const side = await start({
      authenticate: ({ token }) => (token === 'acme' ? { accountId: 'acme' } : null),
    });
    side.client.on('chat:*', () => {});
    await side.client.ready();
    await expect(side.client.authenticate('bad')).rejects.toMatchObject({ code: 'unauthorized' });

    await reconnect(side);

    await eventually('the subscription is back', () => held(side).includes('chat:*'));
  });
});
