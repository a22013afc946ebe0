import type { EventBus } from '../../bus/event-bus.js';
import type { PushOptions } from '../../bus/push-options.js';
import type { PushReport } from '../../bus/push-result.js';
import type { LoopEventData, LoopEventName } from '../../protocol/event-types.js';
import type { PublishedEvent } from './records.js';

/** What a recorded event carries. */
export interface RecordedData {
  readonly publisher: string;
  readonly number: number;
}

export interface RecordingPublisherOptions {
  /** Whether events of this name have a history: whether their service has the option `history`. */
  readonly isDurable: (name: string) => boolean;
  /**
   * How often a durable push whose outcome is not known is repeated, under the same `id`. Default 0. Choose it with
   * `receiptTimeoutMs` so that all of it lies within `idempotencyWindowMs`.
   */
  readonly repeats?: number;
  /** `ttlMs` of events without history, in milliseconds: they may not be seen later. Default 30 000. */
  readonly ttlMs?: number;
  /** Called with each push before each attempt, as one whose outcome is not known, and when it is over. */
  readonly onRecord?: (event: PublishedEvent) => void;
}

type PushOnce = (options: PushOptions) => Promise<PushReport>;

/** That of the bus. */
const TTL_MS = 30_000;

/** Pushes events that are numbered, and records what is known of each. */
export class RecordingPublisher {
  /** In the order of the calls; what is on its way is not in it yet. */
  readonly published: PublishedEvent[] = [];
  private last = 0;

  constructor(
    private readonly bus: EventBus,
    readonly name: string,
    private readonly options: RecordingPublisherOptions,
  ) {}

  toAccount(accountId: string, name: string): Promise<void> {
    return this.push(`account:${accountId}`, name, (data, options) =>
      this.bus.pushToAccount(accountId, name as LoopEventName, data, options),
    );
  }

  toRoom(room: string, name: string): Promise<void> {
    return this.push(`room:${room}`, name, (data, options) =>
      this.bus.pushToRoom(room, name as LoopEventName, data, options),
    );
  }

  toChannel(name: string): Promise<void> {
    return this.push(`service:${name.slice(0, name.indexOf(':'))}`, name, (data, options) =>
      this.bus.pushToChannel(name as LoopEventName, data, options),
    );
  }

  private async push(
    topic: string,
    name: string,
    push: (data: LoopEventData<LoopEventName>, options: PushOptions) => Promise<PushReport>,
  ): Promise<void> {
    const number = ++this.last;
    const event = { publisher: this.name, number, topic, at: Date.now() };
    const data = { publisher: this.name, number } as RecordedData as LoopEventData<LoopEventName>;
    const pushOnce = (options: PushOptions): Promise<PushReport> => push(data, options);
    const recorded = this.options.isDurable(name)
      ? await this.pushDurable({ ...event, durable: true, outcome: 'unknown' }, pushOnce)
      : await this.pushLive({ ...event, durable: false, outcome: 'sent' }, pushOnce);
    this.published.push(recorded);
    this.options.onRecord?.(recorded);
  }

  private async pushLive(event: PublishedEvent, push: PushOnce): Promise<PublishedEvent> {
    const { ttlMs = TTL_MS, onRecord } = this.options;
    const recorded = { ...event, ttlMs };
    onRecord?.({ ...recorded, outcome: 'unknown' });
    await push({ ttlMs });
    return recorded;
  }

  private async pushDurable(event: PublishedEvent, push: PushOnce): Promise<PublishedEvent> {
    const { repeats = 0, onRecord } = this.options;
    let recorded = event;
    for (let attempts = 1; attempts <= repeats + 1; attempts++) {
      recorded = { ...event, attempts };
      onRecord?.(recorded);
      const { position } = await push({ id: `${event.publisher} ${event.number}` });
      if (position === undefined) continue;
      return { ...recorded, outcome: 'sent', position, confirmedAt: Date.now() };
    }
    return recorded;
  }
}
