import { jest } from '@jest/globals';
import { SampledLogger } from '../../lib/util/sampled-logger.js';
import { eventually } from '../support/eventually.js';
import { PresenceNode } from '../support/presence-node.js';
import { presenceTest } from '../support/presence-test.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const { edges, redis } = presenceTest();

const start = (url = redis().url, presenceGraceMs = 0): Promise<PresenceNode> =>
  PresenceNode.start(url, edges, { config: { presenceGraceMs } });

const countIs = (node: PresenceNode, accounts: number, connections: number) => async () => {
  const count = await node.store.count();
  return count.accounts === accounts && count.connections === connections;
};

async function throughProxy(): Promise<[PresenceNode, TcpProxy]> {
  const proxy = await TcpProxy.start(redis().port);
  return [await start(`redis://127.0.0.1:${proxy.port}`), proxy];
}

describe('presence that Redis lost, or that was swept though its server lives', () => {
  it('P7: a restoration that fails halfway is finished, each account is online again once', async () => {
    const [cut, proxy] = await throughProxy();
    const other = await start();
    const accounts = Array.from({ length: 50 }, (_, n) => `account-${n}`);
    await Promise.all(accounts.map((account) => cut.register(account)));
    const { keys } = cut.backbone;
    proxy.blackHole();
    await eventually('they are swept', () => edges.length === 100);
    edges.length = 0;
    const { online } = keys.partitionOf('account-7');
    await redis().command('SET', online, 'of another type');
    proxy.heal();
    proxy.cut();
    await eventually('most are back', async () => edges.length > 40);
    const idThatFailed = cut.backbone.membership.memberId;
    await eventually('it beats', async () =>
      (await redis().command<string[]>('ZRANGE', keys.servers, 0, -1)).includes(idThatFailed),
    );
    await redis().command('DEL', online);
    await eventually('all are back', countIs(other, 50, 50));
    await eventually('all are reported', () => edges.length >= 50);
    expect(edges.toSorted()).toEqual(accounts.map((account) => `+${account}`).toSorted());
    cut.die();
    await eventually('all are swept', countIs(other, 0, 0));
  }, 20_000);

  it('P7: a server that is cut off until it is swept leaves nothing under its former name', async () => {
    const [cut, proxy] = await throughProxy();
    const other = await start();
    const registrations = await Promise.all([1, 2, 3].map((n) => cut.register(`account-${n}`)));
    for (let time = 0; time < 2; time++) {
      edges.length = 0;
      proxy.blackHole();
      await eventually('they are swept', () => edges.length === 3);
      proxy.heal();
      proxy.cut();
      await eventually('they are back', () => edges.length === 6);
      await eventually('once', countIs(other, 3, 3));
    }
    await Promise.all(registrations.map((one) => cut.store.unregister(one)));
    await eventually('nothing is left', countIs(other, 0, 0));
    await eventually('all are offline', () => edges.length === 9);
    const left = await redis().command<string[]>('KEYS', '*lw:[cos]*');
    expect(left.filter((key) => !key.endsWith('servers') && !key.endsWith('swept'))).toEqual([]);
  }, 20_000);

  it('P7: who comes back after a flush within the grace shows no edge', async () => {
    const [left, other] = [await start(redis().url, 3_000), await start(redis().url, 3_000)];
    await left.store.unregister(await left.register('acme'));
    await redis().command('FLUSHALL');
    await other.register('acme');
    expect(edges).toEqual(['+acme']);
    expect(await other.store.count()).toEqual({ accounts: 1, connections: 1 });
  });

  it('P7: an account in its grace that Redis forgot is reported offline, once', async () => {
    await start(redis().url, 200);
    const left = await start(redis().url, 200);
    await left.store.unregister(await left.register('acme'));
    await redis().command('FLUSHALL');
    await eventually('it is offline', () => edges.includes('-acme'));
    expect(edges).toEqual(['+acme', '-acme']);
  });

  it('P7: connections that open right after a flush make one edge for each new account', async () => {
    const [a, b] = [await start(), await start()];
    await a.register('acme', 'first');
    await redis().command('FLUSHALL');
    const opening = [a, b].flatMap((node) =>
      ['acme', 'new'].flatMap((account) => [
        node.register(account, 'x'),
        node.register(account, 'y'),
      ]),
    );
    await Promise.all(opening);
    expect(edges.toSorted()).toEqual(['+acme', '+new']);
    await eventually('all are there', countIs(a, 2, 9));
  }, 20_000);

  it('P7: a partition that forgot its members takes registrations again', async () => {
    const [a, b] = [await start(), await start()];
    const first = await a.register('acme', 'first');
    await redis().command('DEL', a.backbone.keys.partitionOf('acme').members);
    const second = await a.register('acme', 'second');
    await eventually('both are there, once', countIs(b, 1, 2));
    expect(edges).toEqual(['+acme']);
    await a.store.unregister(first);
    await a.store.unregister(second);
    await eventually('nothing is left', countIs(b, 0, 0));
    await eventually('it is offline', () => edges.length === 2);
  }, 20_000);

  it('P7: an account whose key was evicted goes offline with its last connection', async () => {
    const node = await PresenceNode.start(redis().url, edges);
    const registration = await node.register('acme');
    await redis().command('DEL', node.backbone.keys.partitionOf('acme').account('acme'));
    await node.store.unregister(registration);
    await eventually('it is offline', () => edges.includes('-acme'));
    expect(edges).toEqual(['+acme', '-acme']);
    expect(await node.store.count()).toEqual({ accounts: 0, connections: 0 });
    expect((await node.store.accounts()).accounts).toEqual([]);
  });

  it('P7: a restoration is not held up by pushes that wait for Redis', async () => {
    const config = { redisMaxInFlight: 2_048 };
    const node = await PresenceNode.start(redis().url, edges, { config });
    const { link, keys } = node.backbone;
    await node.register('acme');
    const flooding = new AbortController();
    let refused = 0;
    const flood = Array.from({ length: 2_500 }, async () => {
      while (!flooding.signal.aborted) {
        await link.call('EXISTS', 'x').catch(() => refused++);
        await new Promise(setImmediate);
      }
    });
    await redis().command('FLUSHALL');
    const account = keys.partitionOf('acme').account('acme');
    await eventually(
      'it is written again',
      async () => (await redis().command<number>('EXISTS', account)) === 1,
    );
    flooding.abort();
    await Promise.all(flood);
    expect(refused).toBeGreaterThan(0);
    expect(edges).toEqual(['+acme']);
  });

  it('P7: a connection that could not be unregistered for a moment is unregistered without help', async () => {
    const a = await start();
    const registration = await a.register('acme');
    const { grace } = a.backbone.keys.partitionOf('acme');
    const own = a.backbone.keys.partitionOf('acme').ofMember(a.backbone.membership.memberId);
    await redis().command('RENAME', own, `${own}:aside`);
    await redis().command('SET', own, 'of another type');
    await a.store.unregister(registration);
    expect(await redis().command('EXISTS', grace)).toBe(0);
    await redis().command('DEL', own);
    await redis().command('RENAME', `${own}:aside`, own);
    await eventually('it is offline', () => edges.length === 2);
    expect(edges).toEqual(['+acme', '-acme']);
  });

  it('P7: what a failover lost is written again, also when it cannot be compared at first', async () => {
    const node = await start();
    await node.register('acme');
    const partition = node.backbone.keys.partitionOf('acme');
    const own = partition.ofMember(node.backbone.membership.memberId);
    await redis().command('DEL', partition.account('acme'), own);
    await redis().command('SET', own, 'of another type');
    const warned = jest.spyOn(SampledLogger.prototype, 'warn');
    await redis().command('CLIENT', 'KILL', 'TYPE', 'normal');
    await eventually('a comparison fails', () =>
      warned.mock.calls.some(([kind]) => kind === 'presence'),
    );
    warned.mockRestore();
    await redis().command('DEL', own);
    await eventually(
      'it is present again',
      async () => (await node.store.connectionsOf('acme')).length === 1,
    );
    expect(edges).toEqual(['+acme']);
  });
});
