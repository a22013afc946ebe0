import { SubscriptionIndex } from './subscription-index.js';

/** A subscriber with more patterns than this hardly ever has the same ones as another. */
const MAX_SHARED = 32;

/** Subscribers that hold exactly the same patterns. */
export class SubscriptionGroup<T> {
  readonly members = new Set<T>();

  /** @param key Absent for the group of a single subscriber with many patterns, which is modified in place. */
  constructor(
    readonly patterns: Set<string>,
    readonly key?: string,
  ) {}

  get isShared(): boolean {
    return this.key !== undefined;
  }
}

/**
 * Who is subscribed to what. Most connections of an application hold the same patterns as many others. They share one
 * set of patterns, and whether an event matches is decided once for all of them.
 */
export class SubscriptionGroups<T> {
  private readonly shared = new Map<string, SubscriptionGroup<T>>();
  private readonly index = new SubscriptionIndex<SubscriptionGroup<T>>();

  /** Adds patterns to a subscriber. Returns the group that it belongs to from now on. */
  add(
    subscriber: T,
    group: SubscriptionGroup<T> | undefined,
    patterns: readonly string[],
  ): SubscriptionGroup<T> | undefined {
    if (group === undefined || group.isShared) {
      return this.move(subscriber, group, new Set([...(group?.patterns ?? []), ...patterns]));
    }
    for (const pattern of patterns) {
      group.patterns.add(pattern);
      this.index.add(pattern, group);
    }
    return group;
  }

  /** Removes patterns from a subscriber. Returns the group that it belongs to from now on. */
  remove(
    subscriber: T,
    group: SubscriptionGroup<T>,
    patterns: readonly string[],
  ): SubscriptionGroup<T> | undefined {
    if (group.isShared) {
      const lost = new Set(patterns);
      const left = [...group.patterns].filter((pattern) => !lost.has(pattern));
      return this.move(subscriber, group, new Set(left));
    }
    for (const pattern of patterns) {
      group.patterns.delete(pattern);
      this.index.remove(pattern, group);
    }
    return group;
  }

  /** Removes a subscriber. The patterns of its group stay readable. */
  leave(subscriber: T, group: SubscriptionGroup<T>): void {
    if (!group.members.delete(subscriber) || group.members.size > 0) return;
    for (const pattern of group.patterns) this.index.remove(pattern, group);
    if (group.key !== undefined) this.shared.delete(group.key);
  }

  /** Each subscriber once, however many of its patterns match. */
  subscribersOf(name: string): Iterable<T> {
    const matching = this.index.subscribersOf(name);
    if (matching.size > 1) return [...matching].flatMap(({ members }) => [...members]);
    const [only] = matching;
    return only?.members ?? [];
  }

  private move(
    subscriber: T,
    from: SubscriptionGroup<T> | undefined,
    patterns: Set<string>,
  ): SubscriptionGroup<T> | undefined {
    if (from !== undefined) this.leave(subscriber, from);
    if (patterns.size === 0) return undefined;
    const to = this.groupOf(patterns);
    to.members.add(subscriber);
    return to;
  }

  private groupOf(patterns: Set<string>): SubscriptionGroup<T> {
    if (patterns.size > MAX_SHARED) return this.indexed(new SubscriptionGroup<T>(patterns));
    const key = [...patterns].toSorted().join(' '); // no pattern contains a space
    const known = this.shared.get(key);
    if (known !== undefined) return known;
    const group = this.indexed(new SubscriptionGroup<T>(patterns, key));
    this.shared.set(key, group);
    return group;
  }

  private indexed(group: SubscriptionGroup<T>): SubscriptionGroup<T> {
    for (const pattern of group.patterns) this.index.add(pattern, group);
    return group;
  }
}
