import { PresenceStore } from '../../lib/index.js';
import { LoopTestClient } from '../../lib/testing/index.js';
import { faultTest } from '../support/fault-test.js';
import { startRedis } from '../support/redis-server.js';
import { buildLibrary, killServerProcesses, ServerProcess } from '../support/server-processes.js';

const CLIENTS = 20;
const CONFIG = { drainMs: 500, reconnectSpreadMs: 1_000, presenceGraceMs: 60_000 };

const { edges, startServer } = faultTest();

beforeAll(buildLibrary, 120_000);
afterAll(killServerProcesses);

const connect = (server: ServerProcess, token: string): Promise<LoopTestClient> =>
  LoopTestClient.connect(`ws://127.0.0.1:${server.port}`, { token, timeoutMs: 10_000 });

/** What a client is told at the end, and how its socket ends. */
async function farewellOf(client: LoopTestClient): Promise<unknown[]> {
  const { code } = await client.closed;
  return [...client.frames.map(({ op }) => op), code];
}

describe('a server process that gets SIGTERM', () => {
  it('P9: tells each client when to come back, closes it with 1012 although the signal comes twice, and leaves no presence', async () => {
    const redis = await startRedis();
    const observer = await startServer('observer', redis.url);
    await observer.client('stays');
    const leaving = await ServerProcess.start('leaving', redis.url, [], { config: CONFIG });
    const tokens = Array.from({ length: CLIENTS }, (_, n) => `account-${n}`);
    const clients = await Promise.all(tokens.map((token) => connect(leaving, token)));
    const presence = observer.get(PresenceStore);
    expect(await presence.count()).toEqual({ accounts: CLIENTS + 1, connections: CLIENTS + 1 });

    const gone = leaving.stop();
    await clients[0]!.nextFrame('advice', ({ op }) => op === 'reconnect');
    await Promise.all([gone, leaving.stop()]);

    expect(await presence.count()).toEqual({ accounts: 1, connections: 1 });
    const farewells = await Promise.all(clients.map(farewellOf));
    expect(farewells).toEqual(clients.map(() => ['welcome', 'reconnect', 1012]));
    expect(edges).toEqual(['+stays']);
  }, 30_000);
});
