import { inspect } from 'node:util';

/** The stack of what was thrown, or how it looks. Never throws, because it runs where failures end. */
export function stackOf(thrown: unknown): string {
  try {
    if (typeof thrown === 'string') return thrown;
    return thrown instanceof Error ? String(thrown.stack ?? thrown.message) : inspect(thrown);
  } catch {
    return 'Something was thrown that cannot be shown.';
  }
}
