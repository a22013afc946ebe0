import { AssertionError } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

/** Longer texts inside of data are compared and shown by their digest. */
const MAX_TEXT = 200;

/** The whole is in `actual` and `expected`, which most test runners show. */
const MAX_SHOWN = 400;

/** Compares as data, since what crosses servers may have been made anew; `what` is the sentence that is broken. */
export function mustEqual(what: string, seen: unknown, wanted: unknown): void {
  const [actual, expected] = [asData(seen), asData(wanted)];
  if (isDeepStrictEqual(actual, expected)) return;
  const message = `${what}\nWanted: ${shown(expected)}\nSeen:   ${shown(actual)}`;
  throw new AssertionError({ message, actual, expected, operator: 'deepStrictEqual' });
}

export function must(what: string, holds: boolean, seen: unknown): void {
  if (holds) return;
  throw new AssertionError({ message: `${what}\nSeen: ${shown(seen)}` });
}

export function shown(value: unknown): string {
  const text = JSON.stringify(asData(value)) ?? 'nothing';
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

function asData(value: unknown): unknown {
  const text = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' && part.length > MAX_TEXT ? digestOf(part) : part,
  );
  return text === undefined ? undefined : JSON.parse(text);
}

function digestOf(text: string): string {
  const digest = createHash('sha256').update(text).digest('hex');
  return `${text.slice(0, 20)}… (${text.length} characters, sha256 ${digest})`;
}
