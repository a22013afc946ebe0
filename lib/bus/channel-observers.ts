import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Observable, Subscriber } from 'rxjs';
import { SubscriptionIndex } from '../connections/subscription-index.js';
import { BUS_SETTINGS, type BusSettings } from '../loop-ws.settings.js';
import { requirePattern, topicsOfPattern } from '../transport/pattern-topics.js';
import { TopicInterest } from '../transport/topic-interest.js';
import type { PushMessage } from '../transport/transport-message.js';
import { GuardedObservable } from '../util/guarded-observable.js';
import { SampledLogger } from '../util/sampled-logger.js';

/** A channel push before anyone's types: what `EventBus.on` hands out under the types of its pattern. */
export interface ObservedPush {
  readonly name: string;
  readonly service: string;
  readonly event: string;
  readonly data: unknown;
  readonly id: string | undefined;
}

/** Server code that listens to channel pushes. A pattern costs the transport something only while it is observed. */
@Injectable()
export class ChannelObservers implements OnApplicationShutdown {
  private readonly index = new SubscriptionIndex<Subscriber<ObservedPush>>();
  private readonly subscribers = new Set<Subscriber<ObservedPush>>();
  private over = false;

  constructor(
    @Inject(BUS_SETTINGS) private readonly settings: BusSettings,
    private readonly interest: TopicInterest,
    private readonly logger: SampledLogger,
  ) {}

  observe(text: string): Observable<ObservedPush> {
    const pattern = requirePattern(text, this.settings.services);
    const topics = topicsOfPattern(pattern, this.settings.services);
    const report = (error: unknown): void =>
      this.logger.error(`observe ${text}`, `An observer of bus.on('${text}') failed`, error);
    return new GuardedObservable(report, (subscriber) => {
      if (this.over) return subscriber.complete();
      this.add(text, subscriber);
      this.interest.retain(topics).catch((error: unknown) => this.warnDeaf(text, error));
      return () => {
        this.remove(text, subscriber);
        this.interest.release(topics);
      };
    });
  }

  /**
   * In a microtask, when the push is on its way to clients and to other servers: what an observer pushes in answer
   * comes after it for everybody, other observers included.
   */
  notify({ name, frame, id }: PushMessage): void {
    const observers = [...this.index.subscribersOf(name)];
    if (observers.length === 0) return;
    const [service = '', event = ''] = name.split(':', 2);
    const { data } = JSON.parse(frame) as { data: unknown };
    queueMicrotask(() => {
      for (const observer of observers) observer.next({ name, service, event, data, id });
    });
  }

  onApplicationShutdown(): void {
    this.over = true;
    for (const subscriber of this.subscribers) subscriber.complete();
  }

  private add(pattern: string, subscriber: Subscriber<ObservedPush>): void {
    this.index.add(pattern, subscriber);
    this.subscribers.add(subscriber);
  }

  private remove(pattern: string, subscriber: Subscriber<ObservedPush>): void {
    this.index.remove(pattern, subscriber);
    this.subscribers.delete(subscriber);
  }

  /** No reason to end the observer: it sees this server's pushes, and the others' once the topic is attached again. */
  private warnDeaf(pattern: string, error: unknown): void {
    if (this.over) return;
    this.logger.warn(
      `attach ${pattern}`,
      `bus.on('${pattern}') sees no pushes of other servers, because its topics could not be attached`,
      error,
    );
  }
}
