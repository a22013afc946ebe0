import type { CheckOptions, ClientDiary } from '../../lib/testing/index.js';
import type { Lag } from './lag.js';
import { ROOMS } from './scale.js';
import type { Span } from './timeline.js';
import type { Visitor } from './visitor.js';

/**
 * How long before and after a fault the order of calls is not held to, in milliseconds: what is on its way when it begins, and
 * what servers read again when it is over.
 */
const UNSETTLED_MS = 400;

/** When a durable push takes longer, in milliseconds, what was called after it does not wait for it (`lib/bus/call-order.ts`). */
const PATIENCE_MS = 200;

/** The way of an event to a client that has the time to look, in milliseconds. */
const WAY_MS = 250;

/** What each client has to see, and in which order. Times of spans are since `beganAt`. */
export function expectationsOf(
  visitors: readonly Visitor[],
  spans: readonly Span[],
  beganAt: number,
  lag: Lag,
): CheckOptions {
  const promisedFrom = new Map(visitors.map(({ diary, promisedFrom: at }) => [diary.client, at]));
  return {
    topicsOf,
    isFor(diary, { topic, at }) {
      if (!topicsOf(diary).includes(topic)) return false;
      return at > promisedFrom.get(diary.client)! ? true : undefined;
    },
    // P1: on one Redis, as long as it is well.
    isInCallOrder({ at, confirmedAt = at }) {
      if (confirmedAt - at > PATIENCE_MS) return false;
      const time = at - beganAt;
      return spans.every(
        ({ from, wellAt }) => time < from - UNSETTLED_MS || time > wellAt + UNSETTLED_MS,
      );
    },
    graceMs: (seenAt) => WAY_MS + lag.around(seenAt),
  };
}

/** As `fault-server.mjs` lets them join. */
function topicsOf({ accountId = '' }: ClientDiary): string[] {
  const room = Number(accountId.slice(1)) % ROOMS;
  return [`account:${accountId}`, `room:room-${room}`, 'service:orders'];
}
