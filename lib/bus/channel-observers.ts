import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Observable, Subscriber } from 'rxjs';
import { SubscriptionIndex } from '../connections/subscription-index.js';
import { BUS_SETTINGS, type BusSettings } from '../loop-ws.settings.js';
import { requirePattern, topicsOfPattern } from '../transport/pattern-topics.js';
import { TopicInterest } from '../transport/topic-interest.js';
import type { PushMessage } from '../transport/transport-message.js';
import { GuardedObservable } from '../util/guarded-observable.js';
import { SampledLogger } from '../util/sampled-logger.js';

/** An untyped channel push; `EventBus.on` emits it with the types of its pattern. */
export interface ObservedPush {
  readonly name: string;
  readonly service: string;
  readonly event: string;
  readonly data: unknown;
  readonly id: string | undefined;
}

/** Server code that observes channel pushes. The transport attaches to the topics of a pattern only while observed. */
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
      this.interest.retain(topics).catch((error: unknown) => this.warnDetached(text, error));
      return () => {
        this.remove(text, subscriber);
        this.interest.release(topics);
      };
    });
  }

  /**
   * Emits in a microtask, when the push is on its way to clients and other servers. A push that an observer makes in
   * response therefore comes after it for everyone, other observers included.
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

  /** Does not end the observer: it gets this server's pushes, and those of others once the topic is attached again. */
  private warnDetached(pattern: string, error: unknown): void {
    if (this.over) return;
    this.logger.warn(
      `attach ${pattern}`,
      `bus.on('${pattern}') gets no pushes from other servers, because its topics could not be attached`,
      error,
    );
  }
}
