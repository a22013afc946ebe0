import { REMEMBERED, cachedPatternsMatching } from '../protocol/remembered-patterns.js';
import { EMPTY, KeyedSets } from './keyed-sets.js';

/**
 * Who listens to what. Finding the subscribers of an event looks up the few patterns that can match its name, so the
 * cost does not grow with patterns and subscribers that do not match. Results are remembered until a subscription is
 * added or removed.
 */
export class SubscriptionIndex<T> {
  private readonly byPattern = new KeyedSets<T>();
  private readonly found = new Map<string, ReadonlySet<T>>();

  add(pattern: string, subscriber: T): void {
    this.found.clear();
    this.byPattern.add(pattern, subscriber);
  }

  remove(pattern: string, subscriber: T): void {
    this.found.clear();
    this.byPattern.delete(pattern, subscriber);
  }

  /** Each subscriber once, however many of its patterns match. */
  subscribersOf(name: string): ReadonlySet<T> {
    const known = this.found.get(name);
    if (known !== undefined) return known;
    const subscribers = this.find(name);
    if (this.found.size === REMEMBERED) this.found.clear();
    this.found.set(name, subscribers);
    return subscribers;
  }

  /** Usually only one of the patterns has subscribers, and its set can be returned as it is. */
  private find(name: string): ReadonlySet<T> {
    let found: ReadonlySet<T> = EMPTY;
    let union: Set<T> | undefined;
    for (const pattern of cachedPatternsMatching(name)) {
      const subscribers = this.byPattern.get(pattern);
      if (subscribers.size === 0) continue;
      if (found.size === 0) found = subscribers;
      else union = addAll(union ?? new Set(found), subscribers);
    }
    return union ?? found;
  }
}

function addAll<T>(to: Set<T>, values: ReadonlySet<T>): Set<T> {
  for (const value of values) to.add(value);
  return to;
}
