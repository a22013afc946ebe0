import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LoopClient } from '../../../lib/client/index.js';
import { reactions, rejection, ScriptedServer } from './scripted-server.js';

describe('subscribing', () => {
  let server: ScriptedServer;

  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(() => server.stop());

  function listenTo(loop: LoopClient, count: number): void {
    for (let n = 0; n < count; n++) loop.on(`chat:n${n}`, () => {});
  }

  it('puts all new patterns of one tick into one frame', async () => {
    const { loop } = server.client();
    const peer = await server.nextPeer();
    await loop.ready();

    loop.on('billing:*', () => {});
    loop.on('chat:*', () => {});
    loop.on('billing:*', () => {});
    await loop.ready();

    expect(peer.frames.all.map(({ op, patterns }) => [op, patterns])).toEqual([
      ['subscribe', ['billing:*', 'chat:*']],
    ]);
  });

  it('asks for no more patterns in one frame than the server takes', async () => {
    server.welcome = { maxPatterns: 2 };
    const { loop } = server.client();
    listenTo(loop, 3);
    await loop.ready();

    const peer = await server.nextPeer();
    expect(peer.frames.all.map(({ patterns }) => patterns)).toEqual([
      ['chat:n0', 'chat:n1'],
      ['chat:n2'],
    ]);
  });

  it.each([undefined, 0, -1, 0.5, 'many'])(
    'asks for a hundred patterns in one frame when the server takes %s',
    async (maxPatterns) => {
      server.welcome = { maxPatterns: maxPatterns as number };
      const { loop } = server.client();
      listenTo(loop, 250);
      await loop.ready();

      const peer = await server.nextPeer();
      expect(peer.frames.all.map(({ patterns }) => patterns?.length)).toEqual([100, 100, 50]);
    },
  );

  it('unsubscribes when the last handler of a pattern leaves, not before', async () => {
    const { loop } = server.client();
    const first = loop.on('billing:*', () => {});
    const second = loop.on('billing:*', () => {});
    const peer = await server.nextPeer();
    await loop.ready();

    first();
    first();
    await loop.ready();
    await loop.ping();
    expect(peer.frames.all.map(({ op }) => op)).toEqual(['subscribe', 'ping']);

    second();
    expect((await peer.next('unsubscribe')).patterns).toEqual(['billing:*']);
  });

  it('says nothing about a handler that came and went within one tick', async () => {
    const { loop } = server.client();
    const peer = await server.nextPeer();
    await loop.ready();

    loop.on('billing:*', () => {})();
    await loop.ready();
    await loop.ping();

    expect(peer.frames.all.map(({ op }) => op)).toEqual(['ping']);
  });

  it('leaves to the server what the server subscribed by itself', async () => {
    server.welcome = { subscriptions: ['billing:*'] };
    const { loop } = server.client();
    const off = loop.on('billing:*', () => {});
    const peer = await server.nextPeer();
    await loop.ready();

    off();
    await loop.ready();
    await loop.ping();

    expect(peer.frames.all.map(({ op }) => op)).not.toContain('unsubscribe');
  });

  it('subscribes again after a reconnect, before anything that has waited', async () => {
    const { loop, nextState } = server.client();
    loop.on('billing:*', () => {});
    loop.on('chat:*', () => {})();
    const first = await server.nextPeer();
    await loop.ready();

    first.close(4408);
    await nextState('waiting');
    loop.on('device:*', () => {});
    loop.send('chat:message.send', 'waited');
    const second = await server.nextPeer();
    await second.next('chat:message.send');

    expect(second.frames.all.map(({ op, event, patterns }) => patterns ?? op ?? event)).toEqual([
      ['billing:*', 'device:*'],
      'chat:message.send',
    ]);
  });

  it('subscribes before a request of the same tick, whose effects may be the events wanted', async () => {
    const { loop } = server.client();
    const peer = await server.nextPeer();
    await loop.ready();

    loop.on('chat:*', () => {});
    loop.send('chat:join', 'lobby');
    await peer.next('chat:join');

    loop.on('device:*', () => {});
    void rejection(loop.request('device:watch', 'all'));
    await peer.next('device:watch');

    expect(peer.frames.all.map(({ op, event }) => op ?? event)).toEqual([
      'subscribe',
      'chat:join',
      'subscribe',
      'device:watch',
    ]);
  });

  it('is ready only when the server has answered for the subscriptions', async () => {
    const order: string[] = [];
    const friendly = server.react;
    server.react = (frame, peer) => {
      order.push(String(frame.op));
      friendly(frame, peer);
    };
    const { loop } = server.client();
    loop.on('billing:*', () => {});

    const welcome = await loop.ready();
    order.push('ready');

    expect(order).toEqual(['subscribe', 'ready']);
    expect(welcome).toMatchObject({ accountId: 'acme', serverId: 'server-1' });
    expect(loop.welcome).toBe(welcome);
  });

  it('is not ready when the connection broke before the answer, but on the next one', async () => {
    server.react = reactions.silent;
    const { loop, errors } = server.client();
    loop.on('billing:*', () => {});
    const ready = loop.ready();
    const first = await server.nextPeer();
    await first.next('subscribe');

    server.react = reactions.friendly;
    server.welcome = { serverId: 'server-2' };
    first.close(1001);

    expect((await ready).serverId).toBe('server-2');
    expect(errors.all).toEqual([]);
  });

  it('asks for the latest event again when the connection broke before the answer', async () => {
    server.react = (frame, peer) => {
      if (frame.since === undefined) reactions.friendly(frame, peer);
    };
    const { loop, errors } = server.client();
    loop.on('chat:price', () => {}, { latest: true });
    const first = await server.nextPeer();
    await first.frames.next('It should be asked for', ({ since }) => since !== undefined);

    server.react = reactions.friendly;
    first.close(1001);
    const second = await server.nextPeer();
    await loop.ready();

    expect(second.frames.all.at(-1)?.since).toEqual({ 'service:chat': 'latest' });
    expect(errors.all).toEqual([]);
  });
});
