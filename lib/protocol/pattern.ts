import { isEvent, isServiceName, MAX_NAME_LENGTH } from './event-name.js';

/** A subscription pattern, taken apart. `service` is `undefined` when the pattern spans every service. */
export interface Pattern {
  readonly text: string;
  readonly service: string | undefined;
}

/**
 * Reads one of the five forms: `billing:invoice.paid`, `billing:*`, `*:invoice.paid`, `*:*`, `billing:invoice.*`.
 * Everything else, and anything longer than a name may be, is `undefined`.
 */
export function parsePattern(text: string): Pattern | undefined {
  if (text.length > MAX_NAME_LENGTH) return undefined;
  const colon = text.indexOf(':');
  if (colon < 1) return undefined;
  const service = text.slice(0, colon);
  const event = text.slice(colon + 1);
  if (service === '*') {
    return event === '*' || isEvent(event) ? { text, service: undefined } : undefined;
  }
  return isServiceName(service) && isEventPart(event) ? { text, service } : undefined;
}

function isEventPart(event: string): boolean {
  if (event === '*') return true;
  return isEvent(event.endsWith('.*') ? event.slice(0, -2) : event);
}

/**
 * Every pattern that matches the name: four, and one for each dotted prefix. Looking these up in a map is what
 * makes matching independent of how many patterns exist.
 */
export function patternsMatching(name: string): string[] {
  const colon = name.indexOf(':');
  const service = name.slice(0, colon);
  const event = name.slice(colon + 1);
  const patterns = [name, `${service}:*`, `*:${event}`, '*:*'];
  for (let dot = event.indexOf('.'); dot !== -1; dot = event.indexOf('.', dot + 1)) {
    patterns.push(`${service}:${event.slice(0, dot)}.*`);
  }
  return patterns;
}
