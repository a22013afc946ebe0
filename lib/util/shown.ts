import { inspect } from 'node:util';

/** Characters of a value that an error message shows. */
const MAX_SHOWN = 80;

/**
 * A value for an error message, on one line. Not as JSON: JSON cannot represent a BigInt, and represents `NaN`
 * incorrectly.
 */
export function shown(value: unknown): string {
  const text =
    typeof value === 'string'
      ? JSON.stringify(value)
      : inspect(value, { depth: 0, breakLength: Infinity });
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
