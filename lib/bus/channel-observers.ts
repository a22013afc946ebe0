import { Inject, Injectable } from '@nestjs/common';
import { Observable, type Subscriber } from 'rxjs';
import { SubscriptionIndex } from '../connections/subscription-index.js';
import { LoopWsError } from '../loop-ws.errors.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { parsePattern } from '../protocol/pattern.js';
import type { Topic } from '../transport/topic.js';
import { TopicInterest } from '../transport/topic-interest.js';
import type { PushMessage } from '../transport/transport-message.js';

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
export class ChannelObservers {
  private readonly index = new SubscriptionIndex<Subscriber<ObservedPush>>();

  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly interest: TopicInterest,
  ) {}

  observe(pattern: string): Observable<ObservedPush> {
    const topics = this.topicsOf(pattern);
    return new Observable((subscriber) => {
      this.index.add(pattern, subscriber);
      this.interest.retain(topics).catch((error: unknown) => subscriber.error(error));
      return () => {
        this.index.remove(pattern, subscriber);
        this.interest.release(topics);
      };
    });
  }

  notify({ name, frame, id }: PushMessage): void {
    const observers = this.index.subscribersOf(name);
    if (observers.size === 0) return;
    const [service = '', event = ''] = name.split(':', 2);
    const { data } = JSON.parse(frame) as { data: unknown };
    for (const observer of observers) observer.next({ name, service, event, data, id });
  }

  private topicsOf(text: string): Topic[] {
    const pattern = parsePattern(text);
    if (pattern === undefined) {
      throw new LoopWsError(
        `"${text}" is no pattern; write for example billing:invoice.paid or billing:*.`,
      );
    }
    const services =
      pattern.service === undefined ? [...this.settings.services] : [pattern.service];
    return services.map((name) => ({ kind: 'service', name }));
  }
}
