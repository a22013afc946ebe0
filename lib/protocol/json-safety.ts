import { ErrorCode } from './error-code.js';

type Hazard = typeof ErrorCode.TooDeep | typeof ErrorCode.ForbiddenKey;

/**
 * Finds what {@link findJsonHazard} would find in `value`, which was parsed from `text`. It searches the text first,
 * because nearly every text shows that it is safe, and that costs a fraction of walking the value.
 */
export function findTextHazard(text: string, value: unknown, maxDepth: number): Hazard | undefined {
  return mayNameForbiddenKey(text) || opensMoreThan(maxDepth, text)
    ? findJsonHazard(value, maxDepth)
    : undefined;
}

/** A key appears in the text literally, unless one of its letters is escaped, which JSON can only do with `\u`. */
function mayNameForbiddenKey(text: string): boolean {
  return text.includes('__proto__') || text.includes('constructor') || text.includes('\\u');
}

/** A value cannot be nested deeper than its text has opening brackets. */
function opensMoreThan(most: number, text: string): boolean {
  let opened = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++opened > most) return true;
    }
  }
  return false;
}

/**
 * Finds what makes parsed JSON dangerous to code that merges, clones or re-serialises it: nesting deeper than
 * `maxDepth`, and keys that reach a prototype. It walks the value without recursion, so that depth cannot overflow the
 * stack.
 */
export function findJsonHazard(value: unknown, maxDepth: number): Hazard | undefined {
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
