/** Longest full name `service:event`, in characters. */
export const MAX_NAME_LENGTH = 128;

const SERVICE = /^[\w-]+$/;
const NAME = /^[\w-]+:[\w-]+(?:\.[\w-]+)*$/;

export interface EventName {
  readonly service: string;
  readonly event: string;
}

/** A service name consists of letters, digits, `_` and `-`. */
export function isServiceName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && SERVICE.test(text);
}

/**
 * Whether the string is a full name `service:event` of at most {@link MAX_NAME_LENGTH} characters. An event is one or
 * more segments of letters, digits, `_` and `-`, joined by dots.
 */
export function isEventName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && NAME.test(text);
}

/** Splits `service:event`; `undefined` when the string is not a full name (see {@link isEventName}). */
export function parseEventName(text: string): EventName | undefined {
  if (!isEventName(text)) return undefined;
  const [service, event] = text.split(':') as [string, string];
  return { service, event };
}
