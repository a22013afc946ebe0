import { patternsMatching } from './pattern.js';

/**
 * How many names are remembered. Names are normally written in code, so they are few; if they are generated, only the
 * latest are remembered.
 */
export const REMEMBERED = 1_000;

const remembered = new Map<string, readonly string[]>();

/**
 * {@link patternsMatching} with a cache, for a server, which asks for the same names again and again. It returns the
 * same strings each time, so that nothing is built or hashed for another event.
 */
export function cachedPatternsMatching(name: string): readonly string[] {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const patterns = patternsMatching(name);
  const [oldest] = remembered.size < REMEMBERED ? [] : remembered.keys();
  if (oldest !== undefined) remembered.delete(oldest);
  remembered.set(name, patterns);
  return patterns;
}
