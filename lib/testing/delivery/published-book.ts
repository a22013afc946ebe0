import { eventsOf, nameOf, numberOf, type SeenEvent } from './diaries.js';
import { mayBePlacedAgain, type Placed, TopicPast } from './topic-past.js';
import type { ClientDiary, PublishedEvent } from './records.js';

/**
 * What was published, ready to be looked up. A push has the place that its publisher was told; one of which that is not known
 * has the place where a client saw it first, and then everybody else has to see it there as well.
 */
export class PublishedBook {
  private readonly byName = new Map<string, PublishedEvent>();
  private readonly places = new Map<string, Map<string, Placed>>();
  private readonly topics = new Map<string, TopicPast>();

  constructor(published: readonly PublishedEvent[], diaries: readonly ClientDiary[]) {
    for (const event of published) this.byName.set(nameOf(event), event);
    for (const event of this.byName.values()) {
      const { durable, position, confirmedAt = event.at } = event;
      if (durable && position !== undefined) this.place(event, position, confirmedAt);
    }
    for (const diary of diaries) for (const [event] of eventsOf(diary)) this.learnFrom(event);
    for (const placed of [...this.places.values()].flatMap((places) => [...places.values()])) {
      this.pastOf(placed.event.topic).add(placed);
    }
  }

  find(event: SeenEvent): PublishedEvent | undefined {
    return this.byName.get(nameOf(event));
  }

  /** The event at this place; absent if it was never there. */
  placeOf(event: SeenEvent): Placed | undefined {
    return this.places.get(nameOf(event))?.get(event.position ?? '');
  }

  pastOf(topic: string): TopicPast {
    const past = this.topics.get(topic) ?? new TopicPast();
    this.topics.set(topic, past);
    return past;
  }

  private learnFrom(seen: SeenEvent): void {
    const { topic, position, at } = seen;
    const event = this.find(seen);
    if (!event?.durable || position === undefined || topic !== event.topic) return;
    const known = this.places.get(nameOf(event));
    const place = known?.get(position);
    if (place !== undefined) place.by = Math.min(place.by, at ?? Infinity);
    else if (known === undefined || mayBePlacedAgain(event)) {
      this.place(event, position, at ?? event.at);
    }
  }

  private place(event: PublishedEvent, position: string, by: number): void {
    const places = this.places.get(nameOf(event)) ?? new Map<string, Placed>();
    this.places.set(nameOf(event), places);
    places.set(position, { event, position, n: numberOf(position), by });
  }
}
