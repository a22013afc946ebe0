import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { Redis, type RedisOptions } from 'ioredis';
import { WebSocket } from 'ws';
import { EventBus, LoopWsModule } from '../../lib/index.js';

export interface BusServerOptions {
  readonly redis: string;
  readonly serverId: string;
  /** Each has one connection to this server. */
  readonly accounts: readonly string[];
  /** Whether `orders` has a history. */
  readonly durable?: boolean;
}

/** What came to this process from Redis. */
export interface Received {
  readonly messages: number;
  readonly bytes: number;
}

/** One server of a cluster as applications run it, with clients. */
export class BusServer {
  private constructor(
    readonly bus: EventBus,
    private readonly redis: CountedRedis,
  ) {}

  static async start({
    redis: url,
    serverId,
    accounts,
    durable,
  }: BusServerOptions): Promise<BusServer> {
    const redis = new CountedRedis(url, { lazyConnect: true });
    const imports = [
      LoopWsModule.forRoot({
        services: { chat: {}, orders: durable ? { history: { size: 100, ttlMs: 600_000 } } : {} },
        defaultSubscriptions: ['*:*'],
        redis,
        serverId,
        authenticate: ({ token }) => (token ? { accountId: token } : null),
      }),
    ];
    const module = { module: class AppModule {}, imports };
    const app = await NestFactory.create(module, { logger: ['error', 'warn'] });
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
    for (const account of accounts) await connectClient(port, account);
    return new BusServer(app.get(EventBus), redis);
  }

  get received(): Received {
    return this.redis.received;
  }
}

async function connectClient(port: number, account: string): Promise<void> {
  const headers = { authorization: `Bearer ${account}` };
  const client = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers });
  await once(client, 'message'); // the welcome
}

/** A client of the application. The module works on duplicates of it, and what those receive is counted. */
class CountedRedis extends Redis {
  private readonly duplicates: Redis[] = [];
  private messages = 0;

  get received(): Received {
    const bytes = this.duplicates.map((redis) => redis.stream?.bytesRead ?? 0);
    return { messages: this.messages, bytes: bytes.reduce((sum, one) => sum + one, 0) };
  }

  override duplicate(override?: Partial<RedisOptions>): Redis {
    const redis = super.duplicate(override);
    redis.on('messageBuffer', () => this.messages++);
    this.duplicates.push(redis);
    return redis;
  }
}
