import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LoopClientError, type LoopClient } from '../../../lib/client/index.js';
import type { LoopStatus } from '../../../lib/client/loop-state.js';
import { createSubscriptions } from '../../../lib/client/subscriptions.js';
import type { Backoff } from '../../../lib/protocol/full-jitter.js';
import { Queue } from './queue.js';
import {
  reactions,
  rejection,
  ScriptedServer,
  welcomeFrame,
  type Peer,
  type WireFrame,
} from './scripted-server.js';

describe('subscribing', () => {
  let server: ScriptedServer;

  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(() => server.stop());

  function listenTo(loop: LoopClient, count: number): void {
    for (let n = 0; n < count; n++) loop.on(`chat:n${n}`, () => {});
  }

  function failing({ op, id = 0 }: WireFrame, peer: Peer): void {
    if (op === 'subscribe') peer.send({ op: 'error', id, code: 'internal', message: 'Broken.' });
  }

  it('subscribes to what has a handler and hands it matching events', async () => {
    const { loop } = server.client();
    const heard = new Queue<unknown>();
    loop.on('billing:*', (data, event) => heard.push([event.name, data]));
    const peer = await server.nextPeer();

    expect((await peer.next('subscribe')).patterns).toEqual(['billing:*']);
    peer.send({ event: 'chat:message', data: 'not for it' });
    peer.send({ event: 'billing:invoice.paid', data: { cents: 100 } });

    expect(await heard.next('The handler should be called')).toEqual([
      'billing:invoice.paid',
      { cents: 100 },
    ]);
  });

  it.each(['billing:invoice.paid', 'billing:*', '*:invoice.paid', '*:*', 'billing:invoice.*'])(
    'matches events locally with the pattern %s',
    async (pattern) => {
      const { loop } = server.client();
      const heard = new Queue<string>();
      loop.on(pattern as '*:*', (_, event) => heard.push(event.name));
      const peer = await server.nextPeer();

      peer.send({ event: 'chat:message' });
      peer.send({ event: 'billing:invoice.paid' });
      await heard.next('The handler should be called', (name) => name === 'billing:invoice.paid');

      expect(heard.all).toHaveLength(pattern === '*:*' ? 2 : 1);
    },
  );

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

  it('reports each pattern of a frame that is refused as a whole', async () => {
    server.react = ({ op, id = 0 }, peer) => {
      const code = 'too_many_subscriptions';
      if (op === 'subscribe') peer.send({ op: 'error', id, code, message: 'Too many.' });
    };
    const { loop, errors } = server.client();
    listenTo(loop, 2);
    await loop.ready();

    expect(errors.all).toMatchObject([
      { code: 'too_many_subscriptions', pattern: 'chat:n0' },
      { code: 'too_many_subscriptions', pattern: 'chat:n1' },
    ]);
  });

  it.each(['timeout', 'internal', 'unavailable'])(
    'asks again after the failure "%s", and is ready only then',
    async (code) => {
      let asked = 0;
      server.react = (frame, peer) => {
        if (frame.op !== 'subscribe' || ++asked > 2) return reactions.friendly(frame, peer);
        peer.send({ op: 'error', id: frame.id!, code, message: 'Not now.' });
      };
      const random = jest.fn(() => 0);
      const { loop, errors } = server.client({ random });
      loop.on('billing:*', () => {});
      await loop.ready();

      expect(asked).toBe(3);
      expect(random).toHaveBeenCalledTimes(2);
      expect(errors.all).toMatchObject([
        { code, pattern: 'billing:*' },
        { code, pattern: 'billing:*' },
      ]);
    },
  );

  it('asks again when the server says nothing within the deadline', async () => {
    let asked = 0;
    server.react = (frame, peer) => {
      if (++asked > 1) reactions.friendly(frame, peer);
    };
    const { loop } = server.client({ requestTimeoutMs: 30 });
    loop.on('billing:*', () => {});
    await loop.ready();

    expect(asked).toBe(2);
  });

  it('unsubscribes from what it leaves while it waits to ask again: it may be subscribed', async () => {
    server.react = failing;
    const { loop, nextError } = server.client({ random: () => 1, backoff: { baseMs: 100 } });
    const off = loop.on('billing:*', () => {});
    const peer = await server.nextPeer();
    await nextError('internal');
    server.react = reactions.friendly;
    off();
    await peer.next('unsubscribe');
    await loop.ready();

    expect(peer.frames.all.at(-1)).toMatchObject({ op: 'unsubscribe', patterns: ['billing:*'] });
  });

  it('does not ask again for what the server has decided', async () => {
    server.react = (frame, peer) => {
      if (frame.op !== 'subscribe') return reactions.friendly(frame, peer);
      peer.send({ op: 'error', id: frame.id!, code: 'no_such_plan', message: 'Pay first.' });
    };
    const { loop, nextError } = server.client();
    loop.on('billing:*', () => {});
    const peer = await server.nextPeer();
    await nextError('no_such_plan');
    await loop.ready();
    await loop.ping();
    await peer.next('ping');
    expect(peer.frames.all.map(({ op }) => op)).toEqual(['subscribe', 'ping']);

    await loop.authenticate('better');
    expect((await peer.next('subscribe')).patterns).toEqual(['billing:*']);
  });

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

  it('calls each registration once for an event, also when several of its patterns match', async () => {
    const { loop } = server.client();
    const heard: string[] = [];
    const handler = () => void heard.push('shared');
    loop.on('billing:invoice.paid', handler);
    loop.on('billing:invoice.paid', handler);
    loop.on('billing:*', () => void heard.push('service'));
    const peer = await server.nextPeer();
    await loop.ready();

    peer.send({ event: 'billing:invoice.paid' });
    await loop.ping();

    expect(heard.toSorted()).toEqual(['service', 'shared', 'shared']);
  });

  it('does not call a handler that an earlier handler of the same event has removed', async () => {
    const { loop } = server.client();
    const heard: string[] = [];
    loop.on('billing:*', () => {
      heard.push('first');
      offSecond();
    });
    const offSecond = loop.on('billing:*', () => void heard.push('second'));
    const peer = await server.nextPeer();
    await loop.ready();

    peer.send({ event: 'billing:paid' });
    await loop.ping();

    expect(heard).toEqual(['first']);
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

  it('reports a denied pattern by name, and asks for it again with new credentials', async () => {
    server.react = (frame, peer) => {
      if (frame.op === 'subscribe' && frame.id !== undefined) {
        const denied = [{ pattern: 'billing:*', code: 'forbidden', message: 'Not yours.' }];
        peer.send({ op: 'ok', id: frame.id, granted: ['chat:*'], denied });
      }
      if (frame.op === 'auth' && frame.id !== undefined) peer.send({ op: 'ok', id: frame.id });
    };
    const { loop, nextError } = server.client();
    loop.on('billing:*', () => {});
    loop.on('chat:*', () => {});
    const peer = await server.nextPeer();

    const error = await nextError('forbidden');
    expect(error).toBeInstanceOf(LoopClientError);
    expect(error).toMatchObject({ pattern: 'billing:*', message: 'Not yours.' });

    await loop.authenticate('better');
    await peer.next('auth');
    expect((await peer.next('subscribe')).patterns).toEqual(['billing:*']);
  });

  it('asks again soon for a pattern of which the server could not tell, and is ready only then', async () => {
    let asked = 0;
    server.react = (frame, peer) => {
      if (frame.op !== 'subscribe' || ++asked > 1) return reactions.friendly(frame, peer);
      const denied = [{ pattern: 'billing:*', code: 'unavailable', message: 'Not now.' }];
      peer.send({ op: 'ok', id: frame.id!, granted: ['chat:*'], denied });
    };
    const { loop, errors } = server.client();
    loop.on('billing:*', () => {});
    loop.on('chat:*', () => {});
    await loop.ready();

    const peer = await server.nextPeer();
    await peer.next('subscribe');
    expect((await peer.next('subscribe')).patterns).toEqual(['billing:*']);
    expect(errors.all).toMatchObject([{ code: 'unavailable', pattern: 'billing:*' }]);
  });

  it('reports what new credentials have ended as denied, and asks later ones for it', async () => {
    let removed: readonly unknown[] = ['billing:*', 'device:*', 7];
    server.welcome = { subscriptions: ['billing:*', 'device:*'] };
    server.react = (frame, peer) => {
      if (frame.op !== 'auth') return reactions.friendly(frame, peer);
      peer.sendRaw(JSON.stringify({ op: 'ok', id: frame.id, removed }));
    };
    const { loop, errors } = server.client();
    const off = loop.on('billing:*', () => {});
    loop.on('chat:*', () => {});
    const peer = await server.nextPeer();
    await loop.ready();

    await loop.authenticate('narrower');
    expect(errors.all).toHaveLength(1);
    expect(errors.all[0]).toBeInstanceOf(LoopClientError);
    expect(errors.all[0]).toMatchObject({ code: 'forbidden', pattern: 'billing:*' });
    await loop.ready();
    expect(peer.frames.all.map(({ op }) => op)).toEqual(['subscribe', 'auth']);

    removed = [];
    await loop.authenticate('broader');
    await loop.ready();
    expect(peer.frames.all.at(-1)?.patterns).toEqual(['billing:*']);

    off();
    expect((await peer.next('unsubscribe')).patterns).toEqual(['billing:*']);
  });

  it('reports every pattern of a subscribe frame that the server refuses as a whole', async () => {
    server.react = (frame, peer) => {
      if (frame.op === 'subscribe' && frame.id !== undefined) {
        peer.send({ op: 'error', id: frame.id, code: 'unavailable', message: 'Try later.' });
      }
    };
    const { loop, nextError } = server.client();
    loop.on('billing:*', () => {});
    loop.on('chat:*', () => {});

    expect(await nextError('unavailable')).toMatchObject({ pattern: 'billing:*' });
    expect(await nextError('unavailable')).toMatchObject({ pattern: 'chat:*' });
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

  it('throws at once for what is no pattern', () => {
    const { loop } = server.client();

    for (const text of ['billing', 'billing:in paid', ':*', `a:${'b'.repeat(127)}`]) {
      expect(() => loop.on(text as '*:*', () => {})).toThrow('is not a pattern');
    }
  });

  it('keeps a handler that throws or rejects from the others, and reports what it threw', async () => {
    const { loop, nextError } = server.client();
    const heard = new Queue<unknown>();
    const thrown = new Error('bad handler');
    loop.on('billing:*', () => {
      throw thrown;
    });
    loop.on('billing:*', () => Promise.reject(new Error('late')));
    loop.on('billing:*', (data) => heard.push(data));
    const peer = await server.nextPeer();

    peer.send({ event: 'billing:paid', data: 1 });

    expect(await heard.next('The third handler should be called')).toBe(1);
    expect(await nextError('handler_failed')).toMatchObject({ cause: thrown });
    expect(await nextError('handler_failed')).toMatchObject({ cause: { message: 'late' } });
  });
});

describe('subscriptions that failed', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  function failing(backoff: Backoff) {
    const ask = jest.fn(() => Promise.reject(new LoopClientError('timeout', 'No answer.')));
    const handlers = new Map([['billing:*', {}]]);
    const positions = { since: () => undefined, settled: () => {}, leave: () => {} };
    const loop: LoopStatus = { state: 'open', welcome: welcomeFrame() };
    const subscriptions = createSubscriptions(loop, backoff, handlers, positions, ask, () => {});
    subscriptions.open(welcomeFrame());
    return { ask, loop, subscriptions };
  }

  it('are asked for again after longer and longer waits, within the bounds of the options', async () => {
    const { ask } = failing({ baseMs: 100, capMs: 300, random: () => 1 });
    for (const [at, waitMs] of [100, 200, 300, 300].entries()) {
      await jest.advanceTimersByTimeAsync(waitMs - 1);
      expect(ask).toHaveBeenCalledTimes(at + 1);
      await jest.advanceTimersByTimeAsync(1);
      expect(ask).toHaveBeenCalledTimes(at + 2);
    }
  });

  it('are not asked for in a tight loop when the wait is longer than timers can be', async () => {
    const { ask } = failing({ baseMs: 2 ** 32, capMs: Infinity, random: () => 1 });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('leave no timer behind when the connection ends, nor anyone waiting', async () => {
    const { loop, subscriptions } = failing({ baseMs: 500, capMs: 30_000 });
    const ready = rejection(subscriptions.ready());
    await jest.advanceTimersByTimeAsync(0);
    expect(jest.getTimerCount()).toBe(1);

    loop.state = 'closed';
    subscriptions.close();

    expect(jest.getTimerCount()).toBe(0);
    expect((await ready).code).toBe('closed');
  });
});
