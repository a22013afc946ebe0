/** The list in parts of at most `size`. */
export function* chunksOf<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}

export interface Bounds {
  readonly count: number;
  readonly bytes: number;
}

/** The list in parts within the bounds; one that is larger than the bound is a part of its own. */
export function* batchesOf<T extends { readonly length: number }>(
  list: readonly T[],
  bounds: Bounds,
): Generator<readonly T[]> {
  let from = 0;
  let bytes = 0;
  for (const [at, { length }] of list.entries()) {
    const isFull = at - from === bounds.count || bytes + length > bounds.bytes;
    if (at > from && isFull) {
      yield list.slice(from, at);
      from = at;
      bytes = 0;
    }
    bytes += length;
  }
  if (from < list.length) yield list.slice(from);
}

/** The list in parts of the same key, in the order of their first appearance. */
export function groupsOf<Key, T>(list: Iterable<T>, keyOf: (one: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const one of list) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}
