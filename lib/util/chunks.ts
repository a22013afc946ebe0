/** Splits an array into parts of at most `size` items. */
export function* chunksOf<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}

export interface Bounds {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Splits an array into consecutive parts within the bounds; an item larger than `bounds.bytes` gets a part to itself.
 */
export function* batchesOf<T>(
  list: readonly T[],
  bounds: Bounds,
  bytesOf: (one: T) => number,
): Generator<readonly T[]> {
  let from = 0;
  let bytes = 0;
  for (const [at, one] of list.entries()) {
    const own = bytesOf(one);
    const isFull = at - from === bounds.count || bytes + own > bounds.bytes;
    if (at > from && isFull) {
      yield list.slice(from, at);
      from = at;
      bytes = 0;
    }
    bytes += own;
  }
  if (from < list.length) yield list.slice(from);
}

/** Groups items by key; the groups are in the order in which their keys first appear. */
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
