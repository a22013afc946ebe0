import { inspect } from 'node:util';

/** How many characters of a value an error message shows. */
const MAX_SHOWN = 80;

/**
 * Formats a value for an error message, on one line. JSON is not used, because it cannot represent a BigInt and
 * represents `NaN` incorrectly.
 */
export function shown(value: unknown): string {
  const text =
    typeof value === 'string'
      ? JSON.stringify(value)
      : inspect(value, { depth: 0, breakLength: Infinity });
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
