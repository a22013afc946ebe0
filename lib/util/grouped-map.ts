/**
 * Values by a group and a key. Most groups have one value, as most accounts have one connection, and a map for each would
 * cost more than what is in it: so a value that is alone stands for its group.
 */
export class GroupedMap<Value extends object> implements Iterable<Value> {
  private readonly groups = new Map<string, Value | Map<string, Value>>();
  private count = 0;

  constructor(private readonly keyOf: (value: Value) => string) {}

  /** Values of all groups. */
  get size(): number {
    return this.count;
  }

  get(group: string, key: string): Value | undefined {
    const found = this.groups.get(group);
    if (found instanceof Map) return found.get(key);
    return found !== undefined && this.keyOf(found) === key ? found : undefined;
  }

  /** Values of the group, in the order in which they came. */
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

  /** Takes the place of the one with the same key. */
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
