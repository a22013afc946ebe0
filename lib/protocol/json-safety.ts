import { ErrorCode } from './error-code.js';

type Hazard = typeof ErrorCode.TooDeep | typeof ErrorCode.ForbiddenKey;

/**
 * Finds what makes JSON dangerous to code that merges, clones or re-serializes it: nesting deeper than `maxDepth` (at
 * most 1 000), and keys that reach a prototype. `value` must have been parsed from `text`. The text is searched first,
 * because that proves nearly every message safe at a fraction of the cost of walking the value.
 */
export function findJsonHazard(text: string, value: unknown, maxDepth: number): Hazard | undefined {
  if (opensMoreThan(maxDepth, text) && nestsDeeperThan(maxDepth, text)) return ErrorCode.TooDeep;
  if (mayContainForbiddenKey(text) && containsForbiddenKey(value)) return ErrorCode.ForbiddenKey;
  return undefined;
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

/** Character codes. */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

function nestsDeeperThan(most: number, text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (++depth > most) return true;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
      case QUOTE:
        at = endOfString(text, at);
    }
  }
  return false;
}

/** The index of the quote that ends the string beginning at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}

/** A key appears in the text literally, unless one of its letters is escaped, which JSON can only do with `\u`. */
function mayContainForbiddenKey(text: string): boolean {
  return text.includes('__proto__') || text.includes('constructor') || text.includes('\\u');
}

/** The recursion is bounded, because nesting that is too deep is found first. */
function containsForbiddenKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(containsForbiddenKey);
  for (const key of Object.keys(value)) {
    const held = (value as Readonly<Record<string, unknown>>)[key];
    if (key === '__proto__' || (key === 'constructor' && hasPrototype(held))) return true;
    if (containsForbiddenKey(held)) return true;
  }
  return false;
}

function hasPrototype(held: unknown): boolean {
  return typeof held === 'object' && held !== null && Object.hasOwn(held, 'prototype');
}
