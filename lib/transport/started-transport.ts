import { LoopTransportError } from '../loop-ws.errors.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { LoopTransport, type TransportServer } from './loop-transport.js';
import type { PublishOptions } from './publish-options.js';
import type { Topic } from './topic.js';
import type { TopicHistory } from './topic-history.js';
import type { TransportMessage, TransportReceipt } from './transport-message.js';

type State = 'waiting' | 'running' | 'failed' | 'closed';

const WHY_UNAVAILABLE = {
  waiting: 'has not started yet',
  failed: 'could not start',
  closed: 'was closed',
} as const satisfies Record<Exclude<State, 'running'>, string>;

/**
 * Wraps the application's transport for the rest of the library. No call reaches the transport before it has started or
 * after it was closed. Whatever it throws becomes a rejection or, where nobody awaits the call, a log line.
 *
 * Providers may observe in a constructor and push in `onModuleInit`, long before the transport starts. Topics that are
 * needed that early are attached after the start. A push is rejected instead of held back, because a boot that awaits
 * its own push would hang. The result of that push then covers this server only, and is not complete.
 */
export class StartedTransport extends LoopTransport {
  override readonly history?: TopicHistory;
  private state: State = 'waiting';
  private starting: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  private announce!: () => void;
  /** Also resolves when the transport was closed instead, or could not start. */
  private readonly started = new Promise<void>((resolve) => {
    this.announce = resolve;
  });

  constructor(
    private readonly transport: LoopTransport,
    private readonly logger: SampledLogger,
  ) {
    super();
    if (transport.history !== undefined) this.history = transport.history;
  }

  override get isLive(): boolean {
    return this.state === 'running' && this.transport.isLive;
  }

  /** Resolves without an error when the transport is closed meanwhile. */
  override async start(server: TransportServer): Promise<void> {
    if (this.state === 'closed') return;
    this.starting = this.transport.start(server);
    try {
      await this.starting;
    } catch (error) {
      if (this.end === 'closed') return;
      this.state = 'failed';
      this.announce();
      throw error;
    }
    this.announce();
    await this.started; // calls that waited for the start go first
    if (this.state === 'waiting') this.state = 'running';
  }

  override async attach(topics: readonly Topic[]): Promise<void> {
    if (this.state === 'waiting') await this.started;
    if (this.end !== undefined) throw unavailable(this.end);
    await this.transport.attach(topics);
  }

  override detach(topics: readonly Topic[]): void {
    this.detachInTurn(topics).catch((error: unknown) =>
      this.logger.warn('detach', 'The transport could not detach topics', error),
    );
  }

  /** Calls the transport synchronously, which keeps pushes in the order of the calls. */
  override async publish(
    topic: Topic,
    message: TransportMessage,
    options: PublishOptions,
  ): Promise<TransportReceipt> {
    if (this.state !== 'running') throw unavailable(this.state);
    return this.transport.publish(topic, message, options);
  }

  /** Closes the transport once, no matter how often this is called. */
  override close(): Promise<void> {
    this.closing ??= this.closeOnce();
    return this.closing;
  }

  private async closeOnce(): Promise<void> {
    this.state = 'closed';
    this.announce();
    await Promise.allSettled([this.starting]); // one that is still starting would be left open
    await this.transport.close();
  }

  /** The final state, if the transport has reached one. */
  private get end(): 'failed' | 'closed' | undefined {
    return this.state === 'failed' || this.state === 'closed' ? this.state : undefined;
  }

  /**
   * Waits for the start like `attach`, so that the two keep their order. Awaits the transport because TypeScript
   * accepts an async `detach` as well.
   */
  private async detachInTurn(topics: readonly Topic[]): Promise<void> {
    if (this.state === 'waiting') await this.started;
    if (this.end === undefined) await (this.transport.detach(topics) as unknown);
  }
}

function unavailable(state: Exclude<State, 'running'>): LoopTransportError {
  return new LoopTransportError('unavailable', `The transport ${WHY_UNAVAILABLE[state]}.`);
}
