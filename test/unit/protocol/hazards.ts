/** The hazard of a value, found the slow way: by a walk over all of it. */
export function walkedHazard(value: unknown, maxDepth: number): string | undefined {
  if (depthOf(value) > maxDepth) return 'too_deep';
  return namesForbiddenKey(value) ? 'forbidden_key' : undefined;
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function namesForbiddenKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const own = new Map<string, unknown>(Object.entries(value));
  const constructor = own.get('constructor');
  if (typeof constructor === 'object' && 'prototype' in (constructor ?? {})) return true;
  return own.has('__proto__') || [...own.values()].some(namesForbiddenKey);
}

/** A value of so many levels. */
export function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}
