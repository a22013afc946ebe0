import { jest } from '@jest/globals';
import { Heartbeat, type HeartbeatTarget } from '../../../lib/connections/heartbeat.js';
import { LoopWsConfig } from '../../../lib/loop-ws.config.js';
import { eventually } from '../../support/eventually.js';

const SLOTS = 32;
const HEARTBEAT = 2 * SLOTS;

class Peer implements HeartbeatTarget {
  readonly calls: string[] = [];
  answers = false;
  private heard = true;

  consumeActivity(): boolean {
    const { heard } = this;
    this.heard = false;
    return heard;
  }

  ping(): void {
    this.calls.push('ping');
    if (this.answers) this.heard = true;
  }

  lost(): void {
    this.calls.push('lost');
  }
}

let heartbeat: Heartbeat;

beforeEach(() => {
  heartbeat = newHeartbeat(HEARTBEAT);
});

afterEach(() => {
  heartbeat.onApplicationShutdown();
  jest.useRealTimers();
});

function newHeartbeat(heartbeatMs: number): Heartbeat {
  return new Heartbeat(Object.assign(new LoopWsConfig(), { heartbeatMs }));
}

describe('Heartbeat', () => {
  it('pings a peer that was heard, and loses one that was silent since', async () => {
    const [silent, lively] = [new Peer(), new Peer()];
    lively.answers = true;
    heartbeat.watch(silent);
    heartbeat.watch(lively);
    await eventually('the silent one is lost', () => silent.calls.includes('lost'));
    await eventually('three pings', () => lively.calls.length >= 3);
    expect(silent.calls.filter((call) => call === 'ping').length).toBeGreaterThan(0);
    expect(new Set(lively.calls)).toEqual(new Set(['ping']));
  });

  it('spreads its pings over the interval, though the peers came together', () => {
    jest.useFakeTimers();
    heartbeat.onApplicationShutdown();
    heartbeat = newHeartbeat(HEARTBEAT);
    const peers = Array.from({ length: 400 }, () => new Peer());
    for (const peer of peers) heartbeat.watch(peer);
    const pinged = () => peers.filter(({ calls }) => calls.length > 0).length;
    const perTick: number[] = [];
    for (let tick = 0; tick < SLOTS; tick++) {
      const before = pinged();
      jest.advanceTimersByTime(HEARTBEAT / SLOTS);
      perTick.push(pinged() - before);
    }
    expect(pinged()).toBe(peers.length);
    expect(Math.max(...perTick)).toBeLessThanOrEqual(40); // of 400 random draws more fall together almost never
  });

  it('visits nobody who is no longer watched', async () => {
    const [left, stays] = [new Peer(), new Peer()];
    heartbeat.watch(left);
    heartbeat.watch(stays);
    heartbeat.unwatch(left);
    await eventually('the other was visited', () => stays.calls.length > 0);
    expect(left.calls).toEqual([]);
  });

  it('lets one peer leave while it is being visited, without skipping another', async () => {
    const peers = Array.from({ length: 200 }, () => new Peer());
    for (const peer of peers) {
      heartbeat.watch(peer);
      peer.lost = () => {
        heartbeat.unwatch(peer);
        peer.calls.push('lost');
      };
    }
    await eventually('all are lost', () => peers.every(({ calls }) => calls.includes('lost')));
    expect(peers.every(({ calls }) => calls.filter((call) => call === 'lost').length === 1)).toBe(
      true,
    );
  });

  it('loses nobody in the visit after a stall, when answers may be waiting unread', async () => {
    const slotMs = 20;
    heartbeat.onApplicationShutdown();
    heartbeat = newHeartbeat(SLOTS * slotMs);
    const peers = Array.from({ length: 400 }, () => new Peer());
    for (const peer of peers) heartbeat.watch(peer);
    await eventually('a first ping to all', () => peers.every(({ calls }) => calls.length > 0));
    const until = performance.now() + 300;
    while (performance.now() < until);
    const spared = () => peers.filter(({ calls }) => calls[1] === 'ping');
    await eventually('a second ping, though nothing was heard', () => spared().length > 0);
    await eventually('the loss of all, later', () =>
      peers.every(({ calls }) => calls.includes('lost')),
    );
    expect(spared().every(({ calls }) => calls.at(-1) === 'lost')).toBe(true);
  });
});
