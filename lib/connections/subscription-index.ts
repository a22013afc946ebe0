import { rememberedPatternsMatching } from '../protocol/remembered-patterns.js';
import { KeyedSets } from './keyed-sets.js';

/**
 * Who listens to what. Finding the subscribers of an event looks up the few patterns that can match its name, so the
 * cost does not grow with the patterns and subscribers that do not match.
 */
export class SubscriptionIndex<T> {
  private readonly byPattern = new KeyedSets<T>();

  add(pattern: string, subscriber: T): void {
    this.byPattern.add(pattern, subscriber);
  }

  remove(pattern: string, subscriber: T): void {
    this.byPattern.delete(pattern, subscriber);
  }

  /** Each subscriber once, however many of its patterns match. */
  subscribersOf(name: string): ReadonlySet<T> {
    const matching: ReadonlySet<T>[] = [];
    for (const pattern of rememberedPatternsMatching(name)) {
      const subscribers = this.byPattern.get(pattern);
      if (subscribers.size > 0) matching.push(subscribers);
    }
    return matching.length === 1 ? matching[0]! : new Set(matching.flatMap((set) => [...set]));
  }
}
