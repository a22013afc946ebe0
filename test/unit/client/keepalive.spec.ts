import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { reactions, ScriptedServer } from './scripted-server.js';
import { openLink } from './still-socket.js';

describe('the keepalive timer', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('pings after a heartbeat of silence and gives up after a second one', async () => {
    const { socket, states } = await openLink({ heartbeatMs: 1_000 });

    jest.advanceTimersByTime(999);
    expect(socket.sent).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(socket.sent).toEqual(['{"op":"ping"}']);
    jest.advanceTimersByTime(999);
    expect(states.at(-1)).toMatchObject({ state: 'open' });
    jest.advanceTimersByTime(1);
    expect(states.find(({ state }) => state === 'waiting')).toMatchObject({ code: 4408 });
  });

  it('counts the silence from the last frame', async () => {
    const { socket } = await openLink({ heartbeatMs: 1_000 });

    jest.advanceTimersByTime(700);
    socket.receive({ op: 'pong' });
    jest.advanceTimersByTime(999);
    expect(socket.sent).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(socket.sent).toHaveLength(1);
  });

  it('takes any frame after the ping as life', async () => {
    const { socket, states } = await openLink({ heartbeatMs: 1_000 });

    jest.advanceTimersByTime(1_500);
    socket.receive({ op: 'pong' });
    jest.advanceTimersByTime(1_000);
    expect(socket.sent).toHaveLength(2);
    expect(states.at(-1)).toMatchObject({ state: 'open' });
  });

  it('is gone when the client is closed', async () => {
    const { link } = await openLink({ heartbeatMs: 1_000 });

    link.close();
    jest.advanceTimersByTime(2_000);

    expect(jest.getTimerCount()).toBe(0);
  });

  it('is that of the next attempt when the connection ends', async () => {
    const { socket, states } = await openLink({ heartbeatMs: 1_000 });

    socket.end({ code: 1001, reason: '' });
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(0);

    expect(states.at(-1)).toMatchObject({ state: 'connecting' });
  });
});

describe('a link that died without a word', () => {
  let server: ScriptedServer;

  beforeEach(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(() => server.stop());

  it('is noticed after a ping without an answer, given up at once and replaced', async () => {
    server.react = reactions.silent;
    server.welcome = { heartbeatMs: 40 };
    const { loop, nextState } = server.client();
    const first = await server.nextPeer();
    // A paused socket neither reads nor finishes a closing handshake, like the far end of a dead network.
    first.socket.pause();

    const { code, reason } = await nextState('waiting');
    server.welcome = {};
    await server.nextPeer();
    await nextState('open');

    expect([code, reason]).toEqual([4408, '']);
    expect(loop.state).toBe('open');
  });

  it('is not suspected while the server answers pings', async () => {
    server.welcome = { heartbeatMs: 20 };
    const { loop, states } = server.client();
    const peer = await server.nextPeer();

    for (let pings = 0; pings < 4; pings++) {
      expect(await peer.next('ping')).toEqual({ op: 'ping' });
    }

    expect(loop.state).toBe('open');
    expect(states.all.map(({ state }) => state)).toEqual(['open']);
  });

  it('is not looked for when the server wants no keepalive', async () => {
    server.welcome = { heartbeatMs: 0 };
    const { loop } = server.client();
    const peer = await server.nextPeer();
    await loop.ready();
    await loop.ping();

    expect(peer.frames.all).toEqual([{ op: 'ping', id: expect.any(Number) }]);
  });
});
