import { PresenceStore } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { faultTest, healed, isWhole } from '../support/fault-test.js';
import type { LoopApp } from '../support/loop-app.js';
import { PushLedger } from '../support/push-ledger.js';
import { SentinelGroup } from '../support/sentinel-group.js';

/** Sentinel makes a former master a replica when it has called itself the master for 8 s. */
const REUNITED_MS = 30_000;

const { edges, startServer } = faultTest();

async function isOnline(server: LoopApp, accountId: string): Promise<boolean> {
  return server.get(PresenceStore).isOnline(accountId);
}

describe('a network that splits, with a master of Redis and servers on each side', () => {
  it('P5, P7: each side works alone and tells the truth about itself, and they become one again', async () => {
    const group = await SentinelGroup.start();
    const inside = await startServer('inside', group.insideOptions);
    const neighbour = await startServer('neighbour', group.insideOptions);
    const outside = await startServer('outside', group.options);
    const onNeighbour = await neighbour.client('acme', { connectionId: 'n' });
    await outside.client('acme', { connectionId: 'o' });
    await inside.client('insider', { connectionId: 'i' });
    await outside.client('outsider', { connectionId: 'x' });
    await healed(inside, 'o');
    const within = new PushLedger(inside, 'inside', onNeighbour);
    within.pushEvery(10);

    group.split();
    await group.failedOver();
    await eventually('the outside is whole', () => isWhole(outside), REUNITED_MS);
    await eventually('the inside is whole', () => isWhole(inside));
    expect(await outside.bus.pushToConnection('outsider', 'x', 'chat:n', 1)).toBe('delivered');
    expect(await within.push()).toBe('delivered');
    await eventually(
      'who is out there is offline',
      async () => !(await isOnline(inside, 'outsider')),
    );
    await eventually('who is inside is offline', async () => !(await isOnline(outside, 'insider')));
    await inside.client('late', { connectionId: 'l' });

    group.reunite();
    await healed(inside, 'o', REUNITED_MS);
    await healed(neighbour, 'o', REUNITED_MS);
    await healed(outside, 'n', REUNITED_MS);
    await within.settled();
    expect(within.lies).toEqual([]);
    for (const server of [inside, neighbour, outside]) {
      await eventually('presence is one again', async () => {
        const { accounts, connections } = await server.get(PresenceStore).count();
        return accounts === 4 && connections === 5;
      });
      expect(await isOnline(server, 'late')).toBe(true);
    }
    expect(edges.filter((edge) => edge.includes('acme'))).toEqual(['+acme']);
    expect(edges.filter((edge) => edge.includes('insider'))).toEqual([
      '+insider',
      '-insider',
      '+insider',
    ]);
    expect(edges).not.toContain('-late');
  }, 90_000);
});
