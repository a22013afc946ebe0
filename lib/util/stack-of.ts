import { inspect } from 'node:util';

/**
 * The stack of a thrown error, or a printable form of any other value. Never throws, because it runs where failures
 * end.
 */
export function stackOf(thrown: unknown): string {
  try {
    const told: unknown = thrown instanceof Error ? (thrown.stack ?? thrown.message) : thrown;
    return typeof told === 'string' ? told : inspect(told);
  } catch {
    return 'A value was thrown that cannot be displayed.';
  }
}
