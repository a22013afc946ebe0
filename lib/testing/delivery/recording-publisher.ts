import type { EventBus } from '../../bus/event-bus.js';
import type { PushOptions, PushReport } from '../../bus/push-result.js';
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
  /** Called with each push before it begins, as one whose outcome is not known, and when it is over. */
  readonly onRecord?: (event: PublishedEvent) => void;
}

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
    const durable = this.options.isDurable(name);
    const event = { publisher: this.name, number, topic, durable, at: Date.now() };
    this.options.onRecord?.({ ...event, outcome: 'unknown' });
    const data = { publisher: this.name, number } as RecordedData as LoopEventData<LoopEventName>;
    const position = await this.repeatedly(durable, `${this.name} ${number}`, (options) =>
      push(data, options),
    );
    const outcome = durable && position === undefined ? 'unknown' : 'sent';
    const recorded = { ...event, ...(position && { position }), outcome } as const;
    this.published.push(recorded);
    this.options.onRecord?.(recorded);
  }

  /** Resolves with the position, if there is one and it is known. */
  private async repeatedly(
    durable: boolean,
    id: string,
    push: (options: PushOptions) => Promise<PushReport>,
  ): Promise<string | undefined> {
    if (!durable) return (await push({})).position;
    for (let left = this.options.repeats ?? 0; left >= 0; left--) {
      const { position } = await push({ id });
      if (position !== undefined) return position;
    }
    return undefined;
  }
}
