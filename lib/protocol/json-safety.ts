import { ErrorCode } from './error-code.js';

/**
 * Finds what makes parsed JSON dangerous to code that merges, clones or re-serialises it: nesting deeper than
 * `maxDepth`, and keys that reach a prototype. Walks without recursion, so depth cannot overflow the stack.
 */
export function findJsonHazard(
  value: unknown,
  maxDepth: number,
): typeof ErrorCode.TooDeep | typeof ErrorCode.ForbiddenKey | undefined {
  let level = containersIn([value]);
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) return ErrorCode.TooDeep;
    if (level.some(hasForbiddenKey)) return ErrorCode.ForbiddenKey;
    level = level.flatMap((container) => containersIn(Object.values(container)));
  }
  return undefined;
}

function containersIn(values: readonly unknown[]): object[] {
  return values.filter((value): value is object => typeof value === 'object' && value !== null);
}

function hasForbiddenKey(container: object): boolean {
  if (Object.hasOwn(container, '__proto__')) return true;
  const constructor: unknown = Object.hasOwn(container, 'constructor') && container.constructor;
  return (
    typeof constructor === 'object' &&
    constructor !== null &&
    Object.hasOwn(constructor, 'prototype')
  );
}
