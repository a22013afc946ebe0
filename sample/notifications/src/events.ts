import { defineLoopEvents, type InferLoopEvents } from 'nestjs-loopws';
import { z } from 'zod';

export const accountId = z
  .string()
  .regex(/^[\w.-]{1,32}$/, 'must be 1 to 32 letters, digits, "_", "." or "-"');
export const connectionId = z.string().min(1).max(64);
export const room = z
  .string()
  .regex(/^[a-z0-9-]{1,32}$/, 'must be 1 to 32 small letters, digits or "-"');

const text = z.string().trim().min(1).max(500);
const cents = z.int().positive();

/** What the server tells its clients. */
export const pushedEvents = defineLoopEvents({
  'billing:invoice.created': z.object({ invoiceId: z.string(), cents, description: text }),
  'billing:invoice.paid': z.object({ invoiceId: z.string(), cents }),
  'billing:price.changed': z.object({ plan: text, cents }),
  'chat:message.posted': z.object({ room, text, from: z.string() }),
  'device:status.get': z.object({}),
  'presence:account.online': z.object({ accountId }),
  'presence:account.offline': z.object({ accountId }),
  'presence:connection.opened': z.object({ accountId, connectionId }),
  'presence:connection.closed': z.object({ accountId, connectionId }),
});

/** What clients send to a handler. Their payloads come from outside: handlers get only what fits the schema. */
const sentEvents = defineLoopEvents({
  'chat:room.join': z.object({ room }),
  'chat:room.leave': z.object({ room }),
  'chat:message.send': z.object({ room, text }),
});

export const events = defineLoopEvents({ ...pushedEvents, ...sentEvents });

/** From here on the compiler knows every name and payload: in pushes, in handlers, in clients. */
declare module 'nestjs-loopws' {
  interface LoopEvents extends InferLoopEvents<typeof events> {}
}
