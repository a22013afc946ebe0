import { AssertionError, deepStrictEqual } from 'node:assert/strict';
import { createHash } from 'node:crypto';

const LONGEST_SHOWN = 200;

/** Compares as data, since what crosses servers may have been made anew; `what` is the sentence that is broken. */
export function mustEqual(what: string, seen: unknown, wanted: unknown): void {
  const [actual, expected] = [asData(seen), asData(wanted)];
  try {
    deepStrictEqual(actual, expected);
  } catch (error) {
    const message = `${what}\n${(error as Error).message}`;
    throw new AssertionError({ message, actual, expected, operator: 'deepStrictEqual' });
  }
}

export function must(what: string, holds: boolean, seen: unknown): void {
  if (holds) return;
  throw new AssertionError({ message: `${what}\nSeen: ${JSON.stringify(seen)}` });
}

function asData(value: unknown): unknown {
  const text = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' && part.length > LONGEST_SHOWN ? digestOf(part) : part,
  );
  return text === undefined ? undefined : JSON.parse(text);
}

/** Stands for a text that is too long to be shown. */
function digestOf(text: string): string {
  const digest = createHash('sha256').update(text).digest('hex');
  return `${text.slice(0, 20)}… (${text.length} characters, sha256 ${digest})`;
}
