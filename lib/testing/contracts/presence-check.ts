import type { Check } from './check.js';
import type { PresenceMember } from './presence-member.js';

/** It never passes while a case runs. */
export const LONG_GRACE_MS = 60_000;

/** It passes while a case waits. */
export const SHORT_GRACE_MS = 100;

export interface PresenceCheck extends Check<PresenceMember> {
  readonly graceMs: number;
}

export function withGrace(
  graceMs: number,
  ...checks: readonly Check<PresenceMember>[]
): readonly PresenceCheck[] {
  return checks.map((check) => ({ ...check, graceMs }));
}
