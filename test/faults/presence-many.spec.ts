import type { PresenceRegistration } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { PresenceNode } from '../support/presence-node.js';
import { presenceTest } from '../support/presence-test.js';

const MANY = 100;

const { edges, redis } = presenceTest();

function registerMany(node: PresenceNode): Promise<PresenceRegistration[]> {
  return Promise.all(Array.from({ length: MANY }, (_, n) => node.register('acme', `phone-${n}`)));
}

async function replacedBy(node: PresenceNode, connectionId: string): Promise<unknown> {
  const { others } = await node.store.register(node.registrationOf('acme', connectionId));
  return others;
}

const indexes = (): Promise<string[]> => redis().command('KEYS', '*:d:*');

describe('an account with many connections', () => {
  it('P8: to register one more, Redis does not look through the others', async () => {
    const node = await PresenceNode.start(redis().url, edges);
    await registerMany(node);
    await redis().command('CONFIG', 'RESETSTAT');
    await node.register('acme', 'one more');
    expect(await redis().command('INFO', 'commandstats')).not.toContain('cmdstat_hgetall');
  });

  it('P9: what a connection replaces is found although Redis has evicted how to find it', async () => {
    const node = await PresenceNode.start(redis().url, edges);
    const registrations = await registerMany(node);
    const [index] = await indexes();
    await redis().command('DEL', index!);
    expect(await replacedBy(node, 'phone-7')).toEqual([registrations[7]]);
  });

  it('P9: what was evicted itself is replaced by nobody, and what comes after it is', async () => {
    const node = await PresenceNode.start(redis().url, edges);
    await registerMany(node);
    const { keys } = node.backbone;
    await redis().command('DEL', keys.partitionOf('acme').account('acme'));
    const first = node.registrationOf('acme', 'phone-7');
    expect(await node.store.register(first)).toMatchObject({ others: [] });
    expect(await replacedBy(node, 'phone-7')).toEqual([first]);
  });

  it('P7: nothing is left of it when its server is gone', async () => {
    const victim = await PresenceNode.start(redis().url, edges);
    const sweeper = await PresenceNode.start(redis().url, edges);
    await registerMany(victim);
    expect(await indexes()).toHaveLength(1);
    victim.die();
    await eventually('it is offline', () => edges.includes('-acme'));
    expect(await sweeper.store.count()).toEqual({ accounts: 0, connections: 0 });
    expect(await indexes()).toEqual([]);
  });
});
