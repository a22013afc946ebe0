import { patternsMatching } from './pattern.js';

/** Names are written in code, so they are few; of those that are made up as they come, the latest are remembered. */
export const REMEMBERED = 1_000;

const remembered = new Map<string, readonly string[]>();

/**
 * As {@link patternsMatching}, for a server, which asks again and again for the same names: the same texts each time, so
 * that nothing is built or hashed for one more event.
 */
export function rememberedPatternsMatching(name: string): readonly string[] {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const patterns = patternsMatching(name);
  const [oldest] = remembered.size < REMEMBERED ? [] : remembered.keys();
  if (oldest !== undefined) remembered.delete(oldest);
  remembered.set(name, patterns);
  return patterns;
}
