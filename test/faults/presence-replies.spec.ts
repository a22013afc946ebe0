import { eventually } from '../support/eventually.js';
import { PresenceNode } from '../support/presence-node.js';
import { presenceTest } from '../support/presence-test.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const { edges, redis } = presenceTest();
let proxy: TcpProxy;

beforeEach(async () => {
  proxy = await TcpProxy.start(redis().port);
});

/** One partition, so that every server looks at it with each beat. */
function start(port: number, presenceGraceMs: number): Promise<PresenceNode> {
  const config = { presenceGraceMs, redisPartitions: 1 };
  return PresenceNode.start(`redis://127.0.0.1:${port}`, edges, { config });
}

/** One whose scripts Redis knows: an unknown one would have to be sent again, which takes a reply. */
async function startKnown(presenceGraceMs: number): Promise<PresenceNode> {
  const server = await start(proxy.port, presenceGraceMs);
  await server.store.unregister(await server.register('first'));
  await eventually('the first account is offline', () => edges.length === 2);
  edges.length = 0;
  return server;
}

/** Redis gives the account to the server, which never hears of it. */
async function takenUnheard(server: PresenceNode): Promise<void> {
  await server.store.unregister(await server.register('acme'));
  const { grace } = server.backbone.keys.partitionOf('acme');
  expect(await redis().command('ZCARD', grace)).toBe(1);
  proxy.loseReplies();
  await eventually('it is taken', async () => (await redis().command('ZCARD', grace)) === 0);
  expect(edges).toEqual(['+acme']);
}

function heal(): void {
  proxy.heal();
  proxy.cut();
}

describe('replies of Redis that get lost', () => {
  it('P7: an offline edge that was taken unheard is reported by the server that took it', async () => {
    const server = await startKnown(200);
    await takenUnheard(server);
    heal();
    await eventually('it is offline', () => edges.length === 2);
    expect(edges).toEqual(['+acme', '-acme']);
    await server.register('acme');
    expect(edges).toEqual(['+acme', '-acme', '+acme']);
  }, 15_000);

  it('P7: who is back before the lost edge is found makes both edges, in order', async () => {
    const server = await startKnown(200);
    await takenUnheard(server);
    const other = await start(redis().port, 200);
    await other.register('acme');
    heal();
    await eventually('both are reported', () => edges.length === 3);
    expect(edges).toEqual(['+acme', '-acme', '+acme']);
  }, 15_000);

  it('P7: the edge of a server that dies with it is reported by another', async () => {
    const server = await startKnown(200);
    await takenUnheard(server);
    server.die();
    await start(redis().port, 200);
    await eventually('it is offline', () => edges.length === 2);
    expect(edges).toEqual(['+acme', '-acme']);
  }, 15_000);

  it('P7: a registration whose reply was lost makes both edges or none', async () => {
    const server = await startKnown(0);
    const registration = server.registrationOf('acme');
    proxy.loseReplies();
    await expect(server.store.register(registration)).rejects.toThrow(/Redis/);
    const leaving = server.store.unregister(registration);
    heal();
    await leaving;
    await eventually('the online edge is made up for', () => edges.length === 2);
    expect(edges).toEqual(['+acme', '-acme']);
    expect(await server.store.count()).toEqual({ accounts: 0, connections: 0 });
  }, 15_000);
});
