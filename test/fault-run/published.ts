import type { PublishedEvent } from '../../lib/testing/index.js';

/** By publisher and number: what is recorded last of a push is what is known of it. */
export class Published {
  private readonly events = new Map<string, PublishedEvent>();
  private readonly confirmedAt = new Map<string, number>();

  readonly record = (event: PublishedEvent): void => {
    this.events.set(`${event.publisher} ${event.number}`, event);
    if (event.position !== undefined) this.confirmedAt.set(event.publisher, event.at); // when it was called
  };

  get all(): PublishedEvent[] {
    return [...this.events.values()];
  }

  /** Durable pushes that were called after this time, and have a place. */
  confirmedSince(time: number): PublishedEvent[] {
    return this.all.filter(({ at, position }) => at > time && position !== undefined);
  }

  /** When a durable push of the publisher was confirmed last, in milliseconds since 1970. */
  lastConfirmed(publisher: string): number {
    return this.confirmedAt.get(publisher) ?? 0;
  }
}
