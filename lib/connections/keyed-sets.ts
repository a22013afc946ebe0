export const EMPTY: ReadonlySet<never> = new Set<never>();

/**
 * A set of values per key. A key without values costs nothing, and a single value needs no set. No value may be a set.
 */
export class KeyedSets<T> {
  private readonly sets = new Map<string, T | Set<T>>();

  add(key: string, value: T): void {
    const found = this.sets.get(key);
    if (found === undefined) this.sets.set(key, value);
    else if (found instanceof Set) found.add(value);
    else if (found !== value) this.sets.set(key, new Set([found, value]));
  }

  delete(key: string, value: T): void {
    const found = this.sets.get(key);
    if (found === value) this.sets.delete(key);
    if (!(found instanceof Set) || !found.delete(value)) return;
    const [last] = found;
    if (found.size === 1) this.sets.set(key, last!);
  }

  get(key: string): ReadonlySet<T> {
    const found = this.sets.get(key);
    if (found === undefined) return EMPTY;
    return found instanceof Set ? found : new Set([found]);
  }
}
