import { numberOf } from '../../lib/testing/delivery/diaries.js';
import type { PublishedEvent } from '../../lib/testing/index.js';

/** Something that makes resets true. Times are milliseconds since 1970. */
export interface Loss {
  readonly kind: string;
  /** Just before it. */
  readonly at: number;
  /** Whose history it was; absent when it was all of them. */
  readonly account?: string;
  /** Pushes that were confirmed and are gone, though the histories go on. */
  readonly lostWrites?: readonly PublishedEvent[];
}

/**
 * When the history that a position is of began, in milliseconds since 1970: its number then is 2^20 for each second (see
 * `lib/transport/redis/history.scripts.ts`), and what was pushed since weighs nothing against that.
 */
export function beganAt(position: string): number {
  return (numberOf(position) / 2 ** 20) * 1_000;
}

/** Whether a client that goes from one position to the other leaves a history that the loss ended. */
export function liesBetween({ account, at }: Loss, from: string, to: string): boolean {
  return account === undefined && beganAt(from) < at && at <= beganAt(to);
}

/** Whether whoever was at the position of the topic before the loss has to be told of it. */
export function concerns(
  { account, at, lostWrites }: Loss,
  topic: string,
  position: string,
): boolean {
  if (account !== undefined) return topic === `account:${account}`;
  if (beganAt(position) >= at) return false;
  return lostWrites === undefined || lostWrites.some((event) => event.topic === topic);
}
