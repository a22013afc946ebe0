import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createKeepalive } from '../../../lib/client/keepalive.js';
import { reactions, ScriptedServer } from './scripted-server.js';

describe('the keepalive timer', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  function keepalive() {
    const ping = jest.fn();
    const giveUp = jest.fn();
    return { ping, giveUp, timer: createKeepalive(1_000, ping, giveUp) };
  }

  it('pings after a heartbeat of silence and gives up after a second one', () => {
    const { ping, giveUp } = keepalive();

    jest.advanceTimersByTime(999);
    expect(ping).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(ping).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(999);
    expect(giveUp).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(giveUp).toHaveBeenCalledTimes(1);
  });

  it('counts the silence from the last frame', () => {
    const { ping, timer } = keepalive();

    jest.advanceTimersByTime(700);
    timer.heard();
    jest.advanceTimersByTime(999);
    expect(ping).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(ping).toHaveBeenCalledTimes(1);
  });

  it('takes any frame after the ping as life', () => {
    const { ping, giveUp, timer } = keepalive();

    jest.advanceTimersByTime(1_500);
    timer.heard();
    jest.advanceTimersByTime(1_000);
    expect(ping).toHaveBeenCalledTimes(2);
    expect(giveUp).not.toHaveBeenCalled();
  });

  it('leaves no timer behind when stopped', () => {
    const { timer } = keepalive();

    timer.stop();

    expect(jest.getTimerCount()).toBe(0);
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

    expect([code, reason]).toEqual([4408, 'heartbeat lost']);
    expect(loop.state).toBe('open');
  });

  it('is not suspected while the server answers pings', async () => {
    server.welcome = { heartbeatMs: 20 };
    const { loop, states } = server.client();
    const peer = await server.nextPeer();

    for (let pings = 0; pings < 4; pings++) {
      expect((await peer.next('ping')).id).toBe('keepalive');
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
