import { MAX_NAME_LENGTH } from './event-name.js';

/** For all services: one event or any event. For one service: any event, one event, or those below a dotted prefix. */
const PATTERN = /^(?:\*:(?:\*|[\w-]+(?:\.[\w-]+)*)|[\w-]+:(?:\*|[\w-]+(?:\.[\w-]+)*(?:\.\*)?))$/;

/** A parsed subscription pattern. `service` is `undefined` when the pattern spans every service. */
export interface Pattern {
  readonly text: string;
  readonly service: string | undefined;
}

/**
 * Parses a pattern of one of the five forms: `billing:invoice.paid`, `billing:*`, `*:invoice.paid`, `*:*`,
 * `billing:invoice.*`. Returns `undefined` for any other string, and for one longer than a name may be.
 */
export function parsePattern(text: string): Pattern | undefined {
  if (text.length > MAX_NAME_LENGTH || !PATTERN.test(text)) return undefined;
  const service = text.slice(0, text.indexOf(':'));
  return { text, service: service === '*' ? undefined : service };
}

/**
 * Every pattern that matches the name: four, and one for each dotted prefix. Because these can be looked up in a map,
 * the cost of matching does not depend on how many patterns exist.
 */
export function patternsMatching(name: string): string[] {
  const [service, event] = name.split(':') as [string, string];
  const patterns = [name, `${service}:*`, `*:${event}`, '*:*'];
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    patterns.push(`${name.slice(0, dot)}.*`);
  }
  return patterns;
}
