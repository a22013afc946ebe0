import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LoopClientError } from '../../../lib/client/index.js';
import type { LoopStatus } from '../../../lib/client/loop-state.js';
import { createSubscriptions } from '../../../lib/client/subscriptions.js';
import type { Backoff } from '../../../lib/protocol/full-jitter.js';
import {
  reactions,
  rejection,
  ScriptedServer,
  welcomeFrame,
  type Peer,
  type WireFrame,
} from './scripted-server.js';

describe('a client whose subscriptions are refused or not answered', () => {
  let server: ScriptedServer;

  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(() => server.stop());

  function failing({ op, id = 0 }: WireFrame, peer: Peer): void {
    if (op === 'subscribe') peer.send({ op: 'error', id, code: 'internal', message: 'Broken.' });
  }

  it('reports each pattern of a frame that is refused as a whole', async () => {
    server.react = ({ op, id = 0 }, peer) => {
      const code = 'too_many_subscriptions';
      if (op === 'subscribe') peer.send({ op: 'error', id, code, message: 'Too many.' });
    };
    const { loop, errors } = server.client();
    for (const pattern of ['chat:n0', 'chat:n1'] as const) loop.on(pattern, () => {});
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

  it('asks again soon for a pattern that the server could not decide, and is ready only then', async () => {
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
