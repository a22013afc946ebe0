import { readFile } from 'node:fs/promises';
import type { RedisConnectOptions } from '../../lib/index.js';
import { Certificates } from '../support/certificates.js';
import { faultTest, healed } from '../support/fault-test.js';
import { freePort, type RedisServer, startRedis } from '../support/redis-server.js';

const { startServer } = faultTest();
let certificates: Certificates;
let redis: RedisServer;
let tlsPort: number;

beforeAll(() => {
  certificates = new Certificates();
});
afterAll(() => certificates.remove());

beforeEach(async () => {
  tlsPort = await freePort();
  const { authority, certificate, key } = certificates;
  const files = ['--tls-ca-cert-file', authority, '--tls-cert-file', certificate];
  const clients = ['--tls-key-file', key, '--tls-auth-clients', 'no'];
  redis = await startRedis('--tls-port', `${tlsPort}`, ...files, ...clients);
  const documented = await readFile('docs/operations.md', 'utf8');
  const rule = /ACL SETUSER loopws (.*)/.exec(documented)![1]!.replace('>PASSWORD', '>pw');
  await redis.command('ACL', 'SETUSER', 'loopws', ...rule.split(' '));
});

function options(ca: string): RedisConnectOptions {
  return { host: '127.0.0.1', port: tlsPort, username: 'loopws', password: 'pw', tls: { ca } };
}

describe('Redis behind TLS', () => {
  it('P5: with a user of exactly the documented rights: pushes cross, and cut connections come back', async () => {
    const [a, b] = [
      await startServer('a', options(certificates.trusted)),
      await startServer('b', options(certificates.trusted)),
    ];
    const client = await b.client('acme', { connectionId: 'b' });
    await healed(a, 'b');
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await healed(a, 'b');
    expect(await a.bus.pushToConnection('acme', 'b', 'chat:n', 1)).toBe('delivered');
    expect(await client.next('chat:n')).toBe(1);
  });

  it('a certificate of an authority that is not trusted stops the boot with a sentence', async () => {
    const config = { redisConnectTimeoutMs: 1_000 };
    const booting = startServer('a', options(certificates.foreign), { config });
    await expect(booting).rejects.toThrow(
      /^LoopWs: the Redis of option "redis" cannot be used: .*certificate.* Check its address/,
    );
  });

  it('TLS towards a port that speaks none stops the boot with a sentence', async () => {
    const config = { redisConnectTimeoutMs: 1_000 };
    const plain = { ...options(certificates.trusted), port: redis.port };
    await expect(startServer('a', plain, { config })).rejects.toThrow(
      /^LoopWs: the Redis of option "redis" cannot be used: /,
    );
  });
});
