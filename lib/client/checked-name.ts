import { parseEventName } from '../protocol/event-name.js';
import { ClientErrorCode, LoopClientError } from './client-errors.js';

/** The name, if it is a full one: the types let through what JavaScript or a cast makes of it. */
export function checkedName(name: string): string {
  if (parseEventName(name) !== undefined) return name;
  throw new LoopClientError(
    ClientErrorCode.BadName,
    `"${name}" is not the full name of an event: use one such as "chat:message.send".`,
  );
}
