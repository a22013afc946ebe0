import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { within } from '../util/within.js';

interface Startable {
  connect(): Promise<void>;
  disconnect(): void;
  on(event: 'ready', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * Resolves when the driver is ready, however often it has to try. Rejects with a {@link LoopWsBootError}: after
 * `redisConnectTimeoutMs`, and at once for what no retry can mend.
 */
export function startDriver(
  redis: Startable,
  { redisConnectTimeoutMs }: LoopWsConfig,
): Promise<void> {
  let last: Error | undefined;
  const ready = new Promise<void>((resolve, reject) => {
    redis.on('ready', resolve);
    redis.on('error', (error) => {
      last = causeOf(error);
      if (isFinal(last)) reject(notReached(last.message));
    });
    redis.connect().catch(() => {}); // what went wrong is an error event, and is tried again
  });
  const started = within(ready, redisConnectTimeoutMs, () => {
    throw notReached(`${last?.message ?? 'no answer'} within ${redisConnectTimeoutMs} ms`);
  });
  return started.catch((error: unknown) => {
    redis.disconnect();
    throw error;
  });
}

/** What the servers of a cluster have said, instead of that none of them served. */
function causeOf(error: Error & { lastNodeError?: Error | null }): Error {
  return error.lastNodeError ?? error;
}

function isFinal({ message }: Error): boolean {
  return /^(?:WRONGPASS|NOAUTH|NOPERM|ERR (?:invalid password|AUTH|DB index|invalid DB|This instance has cluster support disabled))/i.test(
    message,
  );
}

/** Whatever went wrong while the first commands were sent, as the sentence that stops the boot. */
export function asBootError(error: unknown): LoopWsBootError {
  return error instanceof LoopWsBootError ? error : notReached((error as Error).message);
}

function notReached(why: string): LoopWsBootError {
  return new LoopWsBootError(
    `LoopWs: Redis of option "redis" cannot be used: ${why}. ${remedyFor(why)}`,
  );
}

function remedyFor(why: string): string {
  if (why.startsWith('MOVED')) {
    return 'It is a Redis Cluster: give { nodes: [{ host, port }] } or a Cluster client of ioredis.';
  }
  if (why.includes('cluster support disabled')) {
    return 'It is a single server: give its URL, or { host, port }.';
  }
  return 'Check its address, credentials and rights; the rights that are needed are in docs/operations.md.';
}
