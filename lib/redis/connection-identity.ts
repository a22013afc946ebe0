import type { RedisDriver } from './driver.js';

/**
 * Identifies a connection in Redis: its client id, and its address as Redis sees it. After a restart of Redis, the id
 * alone may belong to another client.
 */
export interface ConnectionIdentity {
  readonly id: string;
  readonly address: string;
}

export async function identityOf(redis: RedisDriver): Promise<ConnectionIdentity | undefined> {
  const info = String(await redis.call('CLIENT', 'INFO'));
  const [, id] = /\bid=(\d+)/.exec(info) ?? [];
  const [, address] = /\baddr=(\S+)/.exec(info) ?? [];
  return id === undefined || address === undefined ? undefined : { id, address };
}

/** Closes the connection if Redis still has it. */
export async function endConnection(
  redis: RedisDriver,
  { id, address }: ConnectionIdentity,
): Promise<void> {
  await redis.call('CLIENT', 'KILL', 'ID', id, 'ADDR', address);
}
