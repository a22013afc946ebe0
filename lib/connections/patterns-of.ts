import { patternsMatching } from '../protocol/pattern.js';

/** Names are written in code and so they are few; where one makes up ever new ones, they are not remembered for good. */
const REMEMBERED = 1_000;

const known = new Map<string, readonly string[]>();

/** Every pattern that matches the name. The same texts each time, so that nothing is built or hashed for one more event. */
export function patternsOf(name: string): readonly string[] {
  const remembered = known.get(name);
  if (remembered !== undefined) return remembered;
  if (known.size >= REMEMBERED) known.clear();
  const patterns = patternsMatching(name);
  known.set(name, patterns);
  return patterns;
}
