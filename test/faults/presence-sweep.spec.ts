import { jest } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { PresenceNode } from '../support/presence-node.js';
import { presenceTest } from '../support/presence-test.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const PROMISED_MS = 8_000;

const { edges, redis } = presenceTest();

/** Until it is mended, no command on the key can succeed. */
async function breakKey(key: string): Promise<() => Promise<void>> {
  const aside = `${key}:aside`;
  const existed = (await redis().command<number>('EXISTS', key)) === 1;
  if (existed) await redis().command('RENAME', key, aside);
  await redis().command('SET', key, 'of another type');
  return async () => {
    await redis().command('DEL', key);
    if (existed) await redis().command('RENAME', aside, key);
  };
}

async function isSilentFor({ backbone }: PresenceNode, ms: number): Promise<boolean> {
  const { keys, membership } = backbone;
  const beat = await redis().command<string>('ZSCORE', keys.servers, membership.memberId);
  const [seconds] = await redis().command<[string, string]>('TIME');
  return Number(seconds) * 1_000 - Number(beat) >= ms;
}

const isEmpty = (node: PresenceNode) => async (): Promise<boolean> =>
  (await node.store.count()).connections === 0;

describe('presence of a server that is gone', () => {
  it('P7: a sweep that failed midway is finished by the server that began it', async () => {
    const victim = await PresenceNode.start(redis().url, edges);
    const sweeper = await PresenceNode.start(redis().url, edges);
    await Promise.all(Array.from({ length: 50 }, (_, n) => victim.register(`account-${n}`)));
    const { keys, membership } = victim.backbone;
    const mend = await breakKey(keys.partitionOf('account-7').ofMember(membership.memberId));
    victim.die();
    await eventually('the sweep has begun', async () => {
      const swept = await redis().command<string[]>('ZRANGE', keys.swept, 0, -1);
      return swept.includes(membership.memberId);
    });
    await eventually('a part is swept', async () => (await sweeper.store.count()).connections < 50);
    await mend();
    await eventually('nothing is left', isEmpty(sweeper));
    await eventually('everyone is offline', () => edges.length === 100);
    expect(new Set(edges).size).toBe(100);
    await eventually('no sweep is open', async () => {
      return (await redis().command<number>('HLEN', keys.sweeps)) === 0;
    });
  });

  it('P9: connections that could not be unregistered are gone when their server has left', async () => {
    const leaving = await PresenceNode.start(redis().url, edges);
    const other = await PresenceNode.start(redis().url, edges);
    const registration = await leaving.register('acme');
    const mend = await breakKey(leaving.backbone.keys.partitionOf('acme').grace);
    await leaving.store.unregister(registration);
    await mend();
    await leaving.close();
    expect((await other.store.count()).connections).toBe(0);
  });

  it('P7: what a server cannot remove when it leaves is swept by the others', async () => {
    const leaving = await PresenceNode.start(redis().url, edges);
    const other = await PresenceNode.start(redis().url, edges);
    const registration = await leaving.register('acme');
    const { keys, membership } = leaving.backbone;
    const mend = await breakKey(keys.partitionOf('acme').ofMember(membership.memberId));
    await leaving.store.unregister(registration);
    await leaving.close();
    expect(await other.store.isOnline('acme')).toBe(true);
    await mend();
    await eventually('nothing is left', async () => !(await other.store.isOnline('acme')));
    await eventually('it is offline', () => edges.includes('-acme'));
    expect(edges).toEqual(['+acme', '-acme']);
  });

  it('P7: a server that leaves while Redis is out of reach is swept by the others', async () => {
    const proxy = await TcpProxy.start(redis().port);
    const leaving = await PresenceNode.start(`redis://127.0.0.1:${proxy.port}`, edges);
    const other = await PresenceNode.start(redis().url, edges);
    const registration = await leaving.register('acme');
    proxy.blackHole();
    await leaving.store.unregister(registration);
    await leaving.close();
    await eventually('it is offline', () => edges.includes('-acme'));
    expect(edges).toEqual(['+acme', '-acme']);
    expect((await other.store.count()).connections).toBe(0);
  });

  it('P7: five servers that die at once are swept within 8 s over a slow network', async () => {
    const defaults = { serverBeatMs: 1_000, serverTimeoutMs: 6_500, redisCommandTimeoutMs: 2_000 };
    const proxy = await TcpProxy.start(redis().port);
    proxy.slowDown(10);
    const slow = `redis://127.0.0.1:${proxy.port}`;
    const victims = await Promise.all(
      Array.from({ length: 5 }, () => PresenceNode.start(redis().url, edges, { config: defaults })),
    );
    await PresenceNode.start(slow, edges, { config: defaults });
    await Promise.all(
      victims.flatMap((victim, at) =>
        Array.from({ length: 200 }, (_, n) => victim.register(`account-${at}-${n}`)),
      ),
    );
    for (const victim of victims) victim.die();
    await eventually('all are offline', () => edges.length === 2_000, PROMISED_MS);
    expect(new Set(edges).size).toBe(2_000);
  }, 30_000);

  it('P7: a process whose boot takes long sweeps nothing before it can', async () => {
    const config = { serverTimeoutMs: 500 };
    const victim = await PresenceNode.start(redis().url, edges, { config });
    await victim.register('acme');
    victim.die();
    const slow = await PresenceNode.prepare(redis().url, edges, { config });
    await slow.backbone.start();
    await eventually('the victim was silent for thrice the time', () => isSilentFor(victim, 1_500));
    await slow.backbone.membership.beatNow();
    await slow.start();
    await eventually('the edge is reported', () => edges.includes('-acme'));
    expect(edges).toEqual(['+acme', '-acme']);
    expect(await slow.store.count()).toEqual({ accounts: 0, connections: 0 });
    await slow.backbone.close();
  });

  it('P7: who leaves does not report accounts whose grace others keep', async () => {
    const config = { presenceGraceMs: 60_000 };
    const leaving = await PresenceNode.start(redis().url, edges, { config });
    const staying = await PresenceNode.start(redis().url, edges, { config });
    const names = Array.from({ length: 100 }, (_, n) => `account-${n}`);
    for (const name of names) await staying.store.unregister(await staying.register(name));
    await leaving.close();
    for (const name of names) await staying.register(name);
    expect(edges).toEqual(names.map((name) => `+${name}`));
  });

  it('P9: nothing is tried again after the end, though accounts are in their grace', async () => {
    const config = { presenceGraceMs: 50, redisCommandTimeoutMs: 200 };
    const node = await PresenceNode.start(redis().url, edges, { config });
    await node.store.unregister(await node.register('acme'));
    const tried = jest.spyOn(node.backbone.link, 'run');
    redis().pause();
    await eventually('the end of the grace is tried', () => tried.mock.calls.length > 3);
    await node.close();
    tried.mockClear();
    redis().resume();
    const neighbour = await PresenceNode.start(redis().url, edges, { config });
    const beats = jest.spyOn(neighbour.backbone.membership, 'beatNow');
    await eventually('another one has beaten five times', () => beats.mock.calls.length >= 5);
    expect(tried).not.toHaveBeenCalled();
  });

  it('P7: servers that leave together report each account in its grace once', async () => {
    const config = { presenceGraceMs: 60_000 };
    const servers = await Promise.all(
      Array.from({ length: 4 }, () => PresenceNode.start(redis().url, edges, { config })),
    );
    for (const [at, server] of servers.entries()) {
      await server.store.unregister(await server.register(`account-${at}`));
    }
    expect(edges).toHaveLength(4);
    await Promise.all(servers.map((server) => server.close()));
    expect(edges.slice(4).toSorted()).toEqual([0, 1, 2, 3].map((at) => `-account-${at}`));
  });
});
