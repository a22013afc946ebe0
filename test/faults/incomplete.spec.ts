import { eventually } from '../support/eventually.js';
import { faultTest, isWhole } from '../support/fault-test.js';
import { startRedis } from '../support/redis-server.js';

const { startServer } = faultTest();

const NOBODY_ELSE_IS_KNOWN = { servers: { expected: 1, answered: 1 }, complete: false };

describe('P5: a report that is not complete says why, and claims no server that nobody knows of', () => {
  it('timeout, while Redis does not answer', async () => {
    const redis = await startRedis();
    const server = await startServer('a', redis.url);
    await startServer('b', redis.url);
    redis.pause();
    const pushed = server.bus.pushToAccount('acme', 'chat:n', 1);
    const asked = server.bus.ask('acme', 'phone', 'chat:q', 1, { timeoutMs: 200 });
    await expect(asked).rejects.toMatchObject({ reason: 'unknown' });
    expect(await pushed).toMatchObject({ ...NOBODY_ELSE_IS_KNOWN, why: 'timeout' });
  });

  it('unavailable, while there is no connection to Redis', async () => {
    const redis = await startRedis();
    const server = await startServer('a', redis.url);
    await redis.kill();
    await eventually('the outage is noticed', async () => !(await isWhole(server)));
    expect(await server.bus.pushToAccount('acme', 'chat:n', 1)).toMatchObject({
      ...NOBODY_ELSE_IS_KNOWN,
      why: 'unavailable',
    });
    const disconnected = await server.bus.disconnect('acme');
    expect(disconnected).toEqual({ closed: 0, complete: false, why: 'unavailable' });
  });

  it('backpressure, while more waits for Redis than may', async () => {
    const redis = await startRedis();
    const config = { redisMaxInFlight: 2_048, redisCommandTimeoutMs: 2_000 };
    const server = await startServer('a', redis.url, { config });
    redis.pause();
    const pushes = Array.from({ length: 2_500 }, (_, n) =>
      server.bus.pushToAccount(`account-${n}`, 'chat:n', n),
    );
    expect(await pushes.at(-1)).toMatchObject({ ...NOBODY_ELSE_IS_KNOWN, why: 'backpressure' });
    expect(await pushes[0]).toMatchObject({ ...NOBODY_ELSE_IS_KNOWN, why: 'timeout' });
  });
});
