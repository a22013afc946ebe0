import { inspect } from 'node:util';

/** The stack of what was thrown, or how it looks. Never throws, because it runs where failures end. */
export function stackOf(thrown: unknown): string {
  try {
    const told: unknown = thrown instanceof Error ? (thrown.stack ?? thrown.message) : thrown;
    return typeof told === 'string' ? told : inspect(told);
  } catch {
    return 'Something was thrown that cannot be shown.';
  }
}
