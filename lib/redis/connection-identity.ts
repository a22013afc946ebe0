import type { RedisDriver } from './driver.js';

/**
 * How Redis knows one connection: its number, and its address as Redis sees it. The number alone may be that of somebody
 * else once Redis was restarted.
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

/** Ends it, if Redis still has it. */
export async function endConnection(
  redis: RedisDriver,
  { id, address }: ConnectionIdentity,
): Promise<void> {
  await redis.call('CLIENT', 'KILL', 'ID', id, 'ADDR', address);
}
