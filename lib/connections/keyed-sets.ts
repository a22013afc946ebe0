const EMPTY: ReadonlySet<never> = new Set<never>();

/** A set of values per key; a key without values costs nothing. */
export class KeyedSets<T> {
  private readonly sets = new Map<string, Set<T>>();

  add(key: string, value: T): void {
    const set = this.sets.get(key);
    if (set === undefined) this.sets.set(key, new Set([value]));
    else set.add(value);
  }

  delete(key: string, value: T): void {
    const set = this.sets.get(key);
    if (set?.delete(value) && set.size === 0) this.sets.delete(key);
  }

  get(key: string): ReadonlySet<T> {
    return this.sets.get(key) ?? EMPTY;
  }
}
