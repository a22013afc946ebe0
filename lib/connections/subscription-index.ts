import { rememberedPatternsMatching } from '../protocol/remembered-patterns.js';
import { KeyedSets } from './keyed-sets.js';

const NONE: ReadonlySet<never> = new Set<never>();

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
    // Nearly always it is one pattern that has subscribers, whose set can be had as it is.
    let found: ReadonlySet<T> = NONE;
    let union: Set<T> | undefined;
    for (const pattern of rememberedPatternsMatching(name)) {
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
