/** Longest full name `service:event`, in characters. */
export const MAX_NAME_LENGTH = 128;

const SERVICE = /^[A-Za-z0-9_-]+$/;
const EVENT = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

export interface EventName {
  readonly service: string;
  readonly event: string;
}

/** A service name is letters, digits, `_` and `-`. */
export function isServiceName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && SERVICE.test(text);
}

/** An event is one or more segments of letters, digits, `_` and `-`, joined by dots. */
export function isEvent(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && EVENT.test(text);
}

/** Splits `service:event`; `undefined` when the text is not a full name of at most {@link MAX_NAME_LENGTH} characters. */
export function parseEventName(text: string): EventName | undefined {
  if (text.length > MAX_NAME_LENGTH) return undefined;
  const colon = text.indexOf(':');
  const service = text.slice(0, Math.max(colon, 0));
  const event = text.slice(colon + 1);
  return isServiceName(service) && isEvent(event) ? { service, event } : undefined;
}
