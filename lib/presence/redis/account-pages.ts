import type { RedisBackbone } from '../../redis/redis-backbone.js';
import type { AccountPage } from '../presence-store.js';

/** Walks the online accounts by partition, in byte order within each, so the last account tells where to continue. */
export async function accountPage(
  { link, keys }: RedisBackbone,
  after: string | undefined,
  limit: number,
): Promise<AccountPage> {
  const accounts: string[] = [];
  let from = after === undefined ? '-' : `(${after}`;
  for (
    let at = after === undefined ? 0 : keys.partitionIndexOf(after);
    at < keys.partitions.length;
    at++
  ) {
    const wanted = limit + 1 - accounts.length;
    const { online } = keys.partitions[at]!;
    const some = await link.call<string[]>('ZRANGEBYLEX', online, from, '+', 'LIMIT', 0, wanted);
    accounts.push(...some);
    if (accounts.length > limit)
      return { accounts: accounts.slice(0, limit), next: accounts[limit - 1]! };
    from = '-';
  }
  return { accounts };
}
