import { z } from 'zod';
import { accountId, connectionId, pushedEvents, room } from '../events.js';

const target = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('connection'), accountId, connectionId }),
  z.object({ kind: z.literal('account'), accountId }),
  z.object({ kind: z.literal('room'), room }),
  z.object({ kind: z.literal('channel') }),
]);

/** One shape per event, so that the payload is checked against the event it belongs to. */
function pushOf<const N extends keyof typeof pushedEvents>(event: N) {
  return z.object({ target, event: z.literal(event), data: pushedEvents[event] });
}

export const pushRequest = z.discriminatedUnion('event', [
  pushOf('billing:invoice.created'),
  pushOf('billing:invoice.paid'),
  pushOf('billing:price.changed'),
  pushOf('chat:message.posted'),
]);

export type PushRequest = z.infer<typeof pushRequest>;
