import { MAX_NAME_LENGTH } from './event-name.js';

/** Of all services: an event or any. Of one: any event, one, or those below a prefix. */
const PATTERN = /^(?:\*:(?:\*|[\w-]+(?:\.[\w-]+)*)|[\w-]+:(?:\*|[\w-]+(?:\.[\w-]+)*(?:\.\*)?))$/;

/** A subscription pattern, taken apart. `service` is `undefined` when the pattern spans every service. */
export interface Pattern {
  readonly text: string;
  readonly service: string | undefined;
}

/**
 * Takes a pattern apart; `undefined` when the text is none of the five forms: `billing:invoice.paid`, `billing:*`,
 * `*:invoice.paid`, `*:*`, `billing:invoice.*`. Nothing else is one, nor anything longer than a name may be.
 */
export function parsePattern(text: string): Pattern | undefined {
  if (text.length > MAX_NAME_LENGTH || !PATTERN.test(text)) return undefined;
  const service = text.slice(0, text.indexOf(':'));
  return { text, service: service === '*' ? undefined : service };
}

/**
 * Every pattern that matches the name: four, and one for each dotted prefix. Looking these up in a map is what
 * makes matching independent of how many patterns exist.
 */
export function patternsMatching(name: string): string[] {
  const [service, event] = name.split(':') as [string, string];
  const patterns = [name, `${service}:*`, `*:${event}`, '*:*'];
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    patterns.push(`${name.slice(0, dot)}.*`);
  }
  return patterns;
}
