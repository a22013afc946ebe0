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
 * Resolves when the driver is ready, after as many attempts as it takes. Rejects with a {@link LoopWsBootError} after
 * `redisConnectTimeoutMs`, and at once for an error that no retry can fix.
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
    redis.connect().catch(() => {}); // a failure is also an error event, and is retried
  });
  const started = within(ready, redisConnectTimeoutMs, () => {
    throw notReached(`${last?.message ?? 'no answer'} within ${redisConnectTimeoutMs} ms`);
  });
  return started.catch((error: unknown) => {
    redis.disconnect();
    throw error;
  });
}

/** The error of a cluster's server, instead of the client's own, which only says that no server was available. */
function causeOf(error: Error & { lastNodeError?: Error | null }): Error {
  return error.lastNodeError ?? error;
}

function isFinal({ message }: Error): boolean {
  return /^(?:WRONGPASS|NOAUTH|NOPERM|ERR (?:invalid password|AUTH|DB index|invalid DB|This instance has cluster support disabled))/i.test(
    message,
  );
}

/** Turns any error of the first commands into the error that stops the boot. */
export function asBootError(error: unknown): LoopWsBootError {
  return error instanceof LoopWsBootError ? error : notReached((error as Error).message);
}

function notReached(why: string): LoopWsBootError {
  return new LoopWsBootError(
    `LoopWs: the Redis of option "redis" cannot be used: ${why}. ${remedyFor(why)}`,
  );
}

function remedyFor(why: string): string {
  if (why.startsWith('MOVED')) {
    return 'It is a Redis Cluster: give { nodes: [{ host, port }] } or an ioredis Cluster client.';
  }
  if (why.includes('cluster support disabled')) {
    return 'It is a single server: give its URL, or { host, port }.';
  }
  return 'Check its address and credentials, and the permissions that docs/operations.md lists.';
}
