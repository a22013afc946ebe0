import { PresenceStore } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { faultTest, healed } from '../support/fault-test.js';
import type { LoopApp } from '../support/loop-app.js';
import { PushLedger } from '../support/push-ledger.js';
import type { RedisServer } from '../support/redis-server.js';
import { SentinelGroup } from '../support/sentinel-group.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const FAILOVER_MS = 15_000;
const { edges, startServer } = faultTest();
let group: SentinelGroup;
let a: LoopApp;
let b: LoopApp;

beforeEach(async () => {
  group = await SentinelGroup.start();
  a = await startServer('a', group.options);
  b = await startServer('b', group.options);
}, 30_000);

/** Pushes go on from one server to a connection of the other, whatever happens. */
async function underLoad(): Promise<PushLedger> {
  const onB = await b.client('acme', { connectionId: 'b' });
  await a.client('acme', { connectionId: 'a' });
  await healed(a, 'b');
  const ledger = new PushLedger(a, 'a', onB);
  ledger.pushEvery(10);
  return ledger;
}

async function healedOnTheNewMaster(): Promise<void> {
  await group.failedOver();
  await healed(a, 'b', FAILOVER_MS);
  await healed(b, 'a', FAILOVER_MS);
}

async function subscribersOf(redis: RedisServer): Promise<number> {
  const [, count] = await redis.command<[string, number]>('PUBSUB', 'NUMSUB', '{lw}everyone');
  return count;
}

async function expectPresent(accounts: number, connections: number): Promise<void> {
  const presence = a.get(PresenceStore);
  await eventually('presence is right', async () => {
    const count = await presence.count();
    return count.accounts === accounts && count.connections === connections;
  });
}

describe('a failover by Sentinel', () => {
  it('P5, P7: the master is killed: the bus moves to the new one, tells no lies and reports no edge', async () => {
    const ledger = await underLoad();
    await group.master.kill();
    await healedOnTheNewMaster();
    await ledger.settled();
    expect(ledger.lies).toEqual([]);
    expect(ledger.count('unknown')).toBeGreaterThan(0);
    expect(await ledger.push()).toBe('delivered');
    await expectPresent(1, 2);
    expect(await subscribersOf(group.replica)).toBe(2);
    expect(edges).toEqual(['+acme']);
  }, 60_000);

  it('P5, P6: the master is paused and wakes up again: nobody stays with it or returns to it', async () => {
    const ledger = await underLoad();
    group.master.pause();
    await healedOnTheNewMaster();
    group.master.resume();
    await eventually('it is empty of us', async () => (await subscribersOf(group.master)) === 0);
    // While both say that they are the master, everybody has to choose again.
    await group.replica.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await group.replica.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await healedOnTheNewMaster();
    expect(await subscribersOf(group.master)).toBe(0);
    expect(await subscribersOf(group.replica)).toBe(2);
    await ledger.settled();
    expect(ledger.lies).toEqual([]);
    expect(await ledger.push()).toBe('delivered');
    await expectPresent(1, 2);
    expect(edges).toEqual(['+acme']);
  }, 60_000);

  it('P5, P7: a planned failover costs results, and neither truth nor presence', async () => {
    const ledger = await underLoad();
    await group.failOver();
    await healedOnTheNewMaster();
    await eventually(
      'everybody has moved',
      async () => (await subscribersOf(group.replica)) === 2,
      FAILOVER_MS,
    );
    await healedOnTheNewMaster();
    await ledger.settled();
    expect(ledger.lies).toEqual([]);
    expect(await ledger.push()).toBe('delivered');
    await expectPresent(1, 2);
    expect(edges).toEqual(['+acme']);
  }, 60_000);

  it('P7: a failover that lost writes: who is here is present again, and who has left is not', async () => {
    const ledger = await underLoad();
    const early = await b.client('early', { connectionId: 'e' });
    await b.client('moved', { connectionId: 'old' });
    group.losesWrites();
    await early.close();
    const late = await a.client('late', { connectionId: 'l' });
    await a.client('moved', { connectionId: 'new' });
    const c = await startServer('c', group.options);
    await c.client('newest', { connectionId: 'n' });
    await eventually('the departure is reported', () => edges.includes('-early'));
    await group.master.kill();
    await healedOnTheNewMaster();
    await healed(c, 'a');
    await ledger.settled();
    expect(ledger.lies).toEqual([]);
    await expectPresent(4, 6);
    const presence = b.get(PresenceStore);
    expect(await presence.isOnline('early')).toBe(false);
    expect(await presence.connectionsOf('moved')).toHaveLength(2);
    expect(await a.bus.pushToConnection('newest', 'n', 'chat:n', 1)).toBe('delivered');
    expect(await b.bus.pushToConnection('early', 'e', 'chat:n', 1)).toBe('not_connected');
    // A second grace of the account that left early would end before this one.
    await late.close();
    await eventually('the next departure is reported', () => edges.includes('-late'));
    const online = ['+acme', '+early', '+late', '+moved', '+newest'];
    expect(edges.toSorted()).toEqual([...online, '-early', '-late']);
  }, 60_000);

  it('P6: a Sentinel that accepts connections and answers nothing is passed over', async () => {
    const hung = await TcpProxy.start(group.sentinelPort);
    hung.blackHole();
    const options = group.optionsAsking(hung.port, group.sentinelPort);
    const c = await startServer('c', options);
    await b.client('acme', { connectionId: 'b' });
    await healed(c, 'b');
    await group.master.kill();
    await group.failedOver();
    await healed(c, 'b', FAILOVER_MS);
    expect(await subscribersOf(group.replica)).toBe(3);
  }, 60_000);
});
