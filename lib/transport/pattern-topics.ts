import { LoopWsError } from '../loop-ws.errors.js';
import { parsePattern, type Pattern } from '../protocol/pattern.js';
import { shown } from '../util/shown.js';
import type { Topic } from './topic.js';

/** Parses a pattern from server code. Throws a {@link LoopWsError} that says what to write instead. */
export function requirePattern(text: string, services: ReadonlySet<string>): Pattern {
  const pattern = typeof text === 'string' ? parsePattern(text) : undefined;
  if (pattern === undefined) {
    throw new LoopWsError(
      `${shown(text)} is not a valid pattern; write for example billing:invoice.paid or billing:*.`,
    );
  }
  if (pattern.service !== undefined && !services.has(pattern.service)) {
    throw new LoopWsError(
      `The service of "${text}" is not declared; add it to the option "services".`,
    );
  }
  return pattern;
}

/** The topics that carry matching events. A pattern that spans all services yields the topic of each declared one. */
export function topicsOfPattern({ service }: Pattern, services: ReadonlySet<string>): Topic[] {
  const names = service === undefined ? [...services] : [service];
  return names.map((name) => ({ kind: 'service', name }));
}
