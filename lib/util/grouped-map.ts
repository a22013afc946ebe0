/**
 * A map of values by group and key. Most groups have one value, as most accounts have one connection, and a map for
 * each group would cost more than its content. So a group with a single value stores the value itself.
 */
export class GroupedMap<Value extends object> implements Iterable<Value> {
  private readonly groups = new Map<string, Value | Map<string, Value>>();
  private count = 0;

  constructor(private readonly keyOf: (value: Value) => string) {}

  /** Number of values in all groups. */
  get size(): number {
    return this.count;
  }

  get(group: string, key: string): Value | undefined {
    const found = this.groups.get(group);
    if (found instanceof Map) return found.get(key);
    return found !== undefined && this.keyOf(found) === key ? found : undefined;
  }

  /** The group's values in insertion order. */
  of(group: string): Value[] {
    const found = this.groups.get(group);
    if (found === undefined) return [];
    return found instanceof Map ? [...found.values()] : [found];
  }

  sizeOf(group: string): number {
    const found = this.groups.get(group);
    if (found === undefined) return 0;
    return found instanceof Map ? found.size : 1;
  }

  /** Replaces a value of the group with the same key. */
  set(group: string, value: Value): void {
    const key = this.keyOf(value);
    if (this.get(group, key) === undefined) this.count++;
    const found = this.groups.get(group);
    if (found instanceof Map) found.set(key, value);
    else if (found === undefined || this.keyOf(found) === key) this.groups.set(group, value);
    else this.groups.set(group, mapOf([found, value], this.keyOf));
  }

  delete(group: string, key: string): boolean {
    if (this.get(group, key) === undefined) return false;
    this.count--;
    const found = this.groups.get(group);
    if (!(found instanceof Map)) return this.groups.delete(group);
    found.delete(key);
    const [last] = found.values();
    if (found.size === 1) this.groups.set(group, last!);
    return true;
  }

  /** The names of the groups that have a value. */
  keys(): IterableIterator<string> {
    return this.groups.keys();
  }

  *[Symbol.iterator](): IterableIterator<Value> {
    for (const found of this.groups.values()) {
      if (found instanceof Map) yield* found.values();
      else yield found;
    }
  }
}

function mapOf<Value>(
  values: readonly Value[],
  keyOf: (value: Value) => string,
): Map<string, Value> {
  return new Map(values.map((value) => [keyOf(value), value]));
}
