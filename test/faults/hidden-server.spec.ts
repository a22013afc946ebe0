import { Redis } from 'ioredis';
import type { LoopWsConfigChanges } from '../../lib/loop-ws.config.js';
import { RedisTransport } from '../../lib/transport/redis/redis.transport.js';
import type { ServerReply, TransportReceipt } from '../../lib/transport/transport-message.js';
import { eventually } from '../support/eventually.js';
import { redisBackbone } from '../support/redis-backbone.js';
import { endRedisServers, type RedisServer, startRedis } from '../support/redis-server.js';
import { closeProxies, TcpProxy } from '../support/tcp-proxy.js';

const ACME = { kind: 'account', name: 'acme' } as const;
const QUESTION = {
  kind: 'ask',
  connection: { accountId: 'acme', connectionId: 'c' },
  name: 'chat:q',
  data: undefined,
  timeoutMs: 1_000,
} as const;
const PUSH = {
  kind: 'push',
  target: { kind: 'account', accountId: 'acme' },
  name: 'chat:n',
  frame: '{}',
  ttlMs: 500,
} as const;
const ANSWER: ServerReply = {
  delivered: 1,
  filtered: 0,
  failed: 0,
  answer: { ok: true, data: '1' },
};

/** For an answer that does come, on a busy machine too. */
const PATIENCE_MS = 5_000;

/** Reconnects at once, and beats so rarely that no beat tells what a message should. */
const CONFIG = {
  serverBeatMs: 60_000,
  serverTimeoutMs: 200_000,
  redisReconnectBaseMs: 1,
  redisReconnectCapMs: 1,
};

let redis: RedisServer;
let proxy: TcpProxy;
let running: RedisTransport[];

beforeEach(async () => {
  redis = await startRedis();
  proxy = await TcpProxy.start(redis.port);
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((transport) => transport.close()));
  closeProxies();
  endRedisServers();
});

async function start(
  url: string,
  reply: ServerReply | Promise<ServerReply> = ANSWER,
  changes: LoopWsConfigChanges = {},
): Promise<RedisTransport> {
  const transport = new RedisTransport(await redisBackbone(url, { ...CONFIG, ...changes }));
  await transport.start({ serverId: 'server', receive: () => reply, mayHaveMissed() {} });
  running.push(transport);
  return transport;
}

const startBehind = (behind: TcpProxy, changes?: LoopWsConfigChanges): Promise<RedisTransport> =>
  start(`redis://127.0.0.1:${behind.port}`, ANSWER, changes);

/** Of its own connections only, and for good. */
async function deafen(transport: RedisTransport, behind: TcpProxy): Promise<void> {
  behind.refuse();
  behind.cut();
  await eventually('it is deaf', () => !transport.isLive);
}

/** Whoever cannot hear takes all of this time. */
function ask(from: RedisTransport, timeoutMs = 500): Promise<TransportReceipt> {
  return from.publish(ACME, QUESTION, { timeoutMs, receipt: true });
}

/** The ports from which subscribed connections come. */
async function subscribedPorts(): Promise<number[]> {
  const list = await redis.command<string>('CLIENT', 'LIST', 'TYPE', 'pubsub');
  return [...list.matchAll(/ addr=\S+:(\d+)/g)].map(([, port]) => Number(port));
}

describe('P5: that nobody has the connection is not claimed while a server that has it cannot hear', () => {
  it('though a connection of another server is dead and Redis counts it still', async () => {
    const asking = await start(redis.url);
    const deafProxy = await TcpProxy.start(redis.port);
    const deaf = await startBehind(deafProxy);
    await deaf.attach([ACME]);
    const before = await subscribedPorts();
    const other = await startBehind(proxy, { serverBeatMs: 50, redisCommandTimeoutMs: 600 });
    const isNew = (port: number): boolean => !before.includes(port);
    const [vanishing] = (await subscribedPorts()).filter(isNew);
    expect(await ask(asking, PATIENCE_MS)).toEqual({ expected: 1, replies: [ANSWER] });
    proxy.vanish(vanishing!);
    await eventually('it hears on a new connection', async () => {
      const ports = (await subscribedPorts()).filter(isNew);
      return other.isLive && ports.some((port) => port !== vanishing);
    });
    await deafen(deaf, deafProxy);
    const { expected, replies } = await ask(asking);
    expect(expected).toBeGreaterThan(replies.length);
  });

  it('though somebody subscribes to a channel that is for servers only', async () => {
    const asking = await start(redis.url);
    const deafProxy = await TcpProxy.start(redis.port);
    const deaf = await startBehind(deafProxy);
    await deaf.attach([ACME]);
    const strangers = [new Redis(redis.url), new Redis(redis.url)];
    await Promise.all(strangers.map((stranger) => stranger.subscribe('{loopws}everyone')));
    await deafen(deaf, deafProxy);
    const { expected, replies } = await ask(asking);
    for (const stranger of strangers) stranger.disconnect();
    expect(expected).toBeGreaterThan(replies.length);
  });

  it('though one joined while the asking server could not hear of it', async () => {
    const asking = await startBehind(proxy);
    const deafProxy = await TcpProxy.start(redis.port);
    const deaf = await startBehind(deafProxy);
    await deaf.attach([ACME]);
    expect(await ask(asking, PATIENCE_MS)).toEqual({ expected: 1, replies: [ANSWER] });
    proxy.refuse();
    proxy.cut();
    await eventually('it is cut off', () => !asking.isLive);
    await start(redis.url);
    proxy.accept();
    await eventually('it is back', () => asking.isLive);
    await deafen(deaf, deafProxy);
    const { expected, replies } = await ask(asking);
    expect(expected).toBeGreaterThan(replies.length);
  });

  it.each(['before', 'behind'])(
    'though it shares an envelope with a push %s it, of which nobody wants to know',
    async (place) => {
      const asking = await start(redis.url);
      const deaf = await startBehind(proxy);
      await deaf.attach([ACME]);
      await deafen(deaf, proxy);
      const post = () => asking.publish(ACME, PUSH, { timeoutMs: 500, receipt: false });
      const posts = place === 'before' ? [post()] : [];
      const asked = ask(asking);
      if (place === 'behind') posts.push(post());
      const { expected, replies } = await asked;
      expect(expected).toBeGreaterThan(replies.length);
      await Promise.all(posts);
    },
  );

  it('and the answer of the one that has it is not kept waiting for a server that stands still', async () => {
    const asking = await start(redis.url);
    const standing = await start(redis.url, new Promise(() => {}));
    const answering = await start(redis.url);
    await Promise.all([standing.attach([ACME]), answering.attach([ACME])]);
    const { replies } = await ask(asking, 3_600_000);
    expect(replies).toEqual([ANSWER]);
  });
});
