import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { rejection, ScriptedServer } from './scripted-server.js';
import { openLink } from './still-socket.js';

describe('coming back', () => {
  let server: ScriptedServer;

  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(async () => {
    jest.useRealTimers();
    await server.stop();
  });

  it('is open when the server has said welcome, not when the socket is', async () => {
    server.welcome = undefined;
    const { loop, nextState } = server.client();
    const peer = await server.nextPeer();
    loop.send('chat:message', 'too early to be sent');
    expect(loop.state).toBe('connecting');

    peer.sendRaw(
      JSON.stringify({
        op: 'welcome',
        accountId: 'acme',
        connectionId: 'tab-1',
        serverId: 'server-1',
        subscriptions: [],
        heartbeatMs: 0,
        maxPayload: 1_000,
      }),
    );

    expect((await nextState('open')).welcome.accountId).toBe('acme');
    expect((await peer.next('chat:message')).data).toBe('too early to be sent');
    expect(peer.frames.all).toHaveLength(1);
  });

  it.each([4400, 4408, 4413, 4429, 4999, 1000, 1001, 1011, 1012, 1013])(
    'comes back after the close code %i',
    async (code) => {
      const { errors, nextState } = server.client();
      (await server.nextPeer()).close(code, 'a reason');

      expect(await nextState('waiting')).toMatchObject({
        code,
        reason: 'a reason',
        nextAttemptMs: 0,
      });
      await server.nextPeer();
      await nextState('open');
      expect(errors.all).toEqual([]);
    },
  );

  it.each([4500, 4501, 4503, 4509, 4599])('stays away after the close code %i', async (code) => {
    const { loop, states, nextState } = server.client();
    (await server.nextPeer()).close(code, 'a reason');

    expect(await nextState('closed')).toMatchObject({ code, reason: 'a reason' });
    // Attempts follow at once here, so one would have arrived before another client's whole life.
    await server.client().loop.ready();
    expect(server.attempts.all).toHaveLength(2);
    expect(states.all.at(-1)?.state).toBe('closed');
    expect(() => loop.send('chat:message', 1)).toThrow(/will not come back/);
    expect(await rejection(loop.ready())).toMatchObject({ code: 'closed' });
  });

  it('comes back after a socket that broke without a closing handshake', async () => {
    const { nextState } = server.client();
    (await server.nextPeer()).socket.terminate();

    expect(await nextState('waiting')).toMatchObject({ code: 1006 });
    await nextState('open');
  });

  it('waits longer after each failure', async () => {
    server.refuseWith = 503;
    const options = { backoff: { baseMs: 4, capMs: 16 }, random: () => 1 };
    const { states, nextState } = server.client(options);
    for (let failures = 0; failures < 4; failures++) await nextState('waiting');

    const waits = states.all.flatMap((change) =>
      change.state === 'waiting' ? [change.nextAttemptMs] : [],
    );
    expect(waits).toEqual([4, 8, 16, 16]);
  });

  it('keeps lengthening the waits when a server welcomes and closes at once', async () => {
    const options = { backoff: { baseMs: 4, capMs: 1_000, stableMs: 5_000 }, random: () => 1 };
    const { nextState } = server.client(options);
    const waits: number[] = [];
    for (let round = 0; round < 3; round++) {
      (await server.nextPeer()).close(4429);
      waits.push((await nextState('waiting')).nextAttemptMs);
    }

    expect(waits).toEqual([4, 8, 16]);
  });

  it('starts again with the shortest wait after a connection that was stable', async () => {
    const options = { backoff: { baseMs: 4, capMs: 1_000, stableMs: 0 }, random: () => 1 };
    const { nextState } = server.client(options);
    const waits: number[] = [];
    for (let round = 0; round < 3; round++) {
      const peer = await server.nextPeer();
      await nextState('open');
      peer.close(1001);
      waits.push((await nextState('waiting')).nextAttemptMs);
    }

    expect(waits).toEqual([4, 4, 4]);
  });

  it('comes back when the leaving server told it to, whatever the backoff says', async () => {
    const { nextState } = server.client();
    const peer = await server.nextPeer();
    peer.send({ op: 'reconnect', afterMs: 120 });
    peer.close(1012);

    expect(await nextState('waiting')).toMatchObject({ code: 1012, nextAttemptMs: 120 });
    const waitingSince = performance.now();
    await nextState('connecting');
    expect(performance.now() - waitingSince).toBeGreaterThanOrEqual(118);
  });

  it('obeys an advice once, and none of more than five minutes', async () => {
    const { nextState } = server.client();
    const first = await server.nextPeer();
    first.send({ op: 'reconnect', afterMs: -5 });
    first.close(1012);
    expect(await nextState('waiting')).toMatchObject({ nextAttemptMs: 0 });

    const second = await server.nextPeer();
    second.send({ op: 'reconnect', afterMs: 30 });
    server.refuseWith = 503;
    second.close(1012);
    expect(await nextState('waiting')).toMatchObject({ nextAttemptMs: 30 });
    expect(await nextState('waiting')).toMatchObject({ nextAttemptMs: 0 });
    server.refuseWith = undefined;

    const third = await server.nextPeer();
    third.send({ op: 'reconnect', afterMs: 1e12 });
    third.close(1012);
    expect(await nextState('waiting')).toMatchObject({ nextAttemptMs: 300_000 });
  });

  it('stays away after a final close code even when told when to come back', async () => {
    const { nextState } = server.client();
    const peer = await server.nextPeer();
    peer.send({ op: 'reconnect', afterMs: 1 });
    peer.close(4503);

    expect(await nextState('closed')).toMatchObject({ code: 4503 });
  });

  it('calls a listener as often as it was added, and each end removes its own', async () => {
    const { loop, nextState } = server.client();
    const heard: string[] = [];
    const listener = (state: string) => void heard.push(state);
    const first = loop.onState(listener);
    loop.onState(listener);
    first();
    first();
    (await server.nextPeer()).close(1001);
    await nextState('waiting');

    expect(heard).toEqual(['open', 'waiting']);
  });

  it('keeps its connection id, so that the new socket replaces the old one', async () => {
    const { nextState } = server.client();
    const first = await server.nextPeer();
    first.close(1001);
    await nextState('waiting');
    const second = await server.nextPeer();
    server.client();
    const other = await server.nextPeer();

    const idOf = (peer: typeof first) => peer.query.get('connectionId');
    expect(idOf(first)).toMatch(/^(\d+-){3}\d+$/);
    expect(idOf(second)).toBe(idOf(first));
    expect(idOf(other)).not.toBe(idOf(first));
  });

  it('uses the connection id that it is given', async () => {
    server.client({ connectionId: 'device 1/ä' });

    expect((await server.nextPeer()).query.get('connectionId')).toBe('device 1/ä');
  });

  it('closes for good with 1000, and makes no further attempt', async () => {
    const { loop, states, nextState } = server.client();
    const peer = await server.nextPeer();
    await loop.ready();

    loop.close();
    loop.close();

    expect(await nextState('closed')).toMatchObject({ code: 1000 });
    expect(await peer.closed.next('The server should see the close')).toBe(1000);
    await server.client().loop.ready();
    expect(states.all.map(({ state }) => state)).toEqual(['open', 'closed']);
    expect(server.attempts.all).toHaveLength(2);
  });

  it('can be closed while it waits for the next attempt', async () => {
    jest.useFakeTimers();
    const { socket, states, link } = await openLink();
    socket.end({ code: 1001, reason: '' });

    link.close();
    jest.advanceTimersByTime(60_000);

    expect(jest.getTimerCount()).toBe(0);
    const seen = states.map(({ state }) => state);
    expect(seen).toEqual(['connecting', 'open', 'waiting', 'closed']);
  });

  it('can be closed by a listener, in any state', async () => {
    for (const closeIn of ['open', 'waiting', 'connecting'] as const) {
      const { loop, nextState } = server.client();
      loop.onState((state) => void (state === closeIn && loop.close()));
      (await server.nextPeer()).close(1001);
      await nextState('closed');
      expect(loop.state).toBe('closed');
    }
    await server.client().loop.ready();
    await server.client().loop.ready();
    expect(server.attempts.all).toHaveLength(5);
  });

  it('keeps a state listener that throws from the others', async () => {
    const { loop, nextState, nextError } = server.client();
    const thrown = new Error('bad listener');
    loop.onState(() => {
      throw thrown;
    });

    await nextState('open');
    expect(await nextError('handler_failed')).toMatchObject({ cause: thrown });
  });
});
