import { LoopTransportError } from '../loop-ws.errors.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { LoopTransport, type PublishOptions, type TransportServer } from './loop-transport.js';
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
 * The application's transport, as everything here uses it: nothing reaches it before it has started or after it was
 * closed, and whatever it throws becomes a rejection, or a line in the log where nobody waits.
 *
 * Providers may observe in a constructor and push in `onModuleInit`, long before the start. An interest of that time
 * is attached after the start. A push is not kept for it, since a boot that waits for its own push would hang: it
 * rejects, so that its result tells what is proven here and is not complete.
 */
export class StartedTransport extends LoopTransport {
  override readonly history?: TopicHistory;
  private state: State = 'waiting';
  private starting: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  private announce!: () => void;
  /** Also when it was closed instead, or could not start. */
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

  /** Ends quietly when a close overtakes it. */
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
    await this.started; // those who waited go first
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

  /** Reaches the transport before this returns, which is what keeps pushes in call order. */
  override async publish(
    topic: Topic,
    message: TransportMessage,
    options: PublishOptions,
  ): Promise<TransportReceipt> {
    if (this.state !== 'running') throw unavailable(this.state);
    return this.transport.publish(topic, message, options);
  }

  /** Closes the transport once, however often it is called. */
  override close(): Promise<void> {
    this.closing ??= this.closeOnce();
    return this.closing;
  }

  private async closeOnce(): Promise<void> {
    this.state = 'closed';
    this.announce();
    await Promise.allSettled([this.starting]); // what starts meanwhile would be left open
    await this.transport.close();
  }

  /** What it has come to, if that is an end. */
  private get end(): 'failed' | 'closed' | undefined {
    return this.state === 'failed' || this.state === 'closed' ? this.state : undefined;
  }

  /** Waits for the start as `attach` does, so that the two keep their order. The compiler lets async ones pass, too. */
  private async detachInTurn(topics: readonly Topic[]): Promise<void> {
    if (this.state === 'waiting') await this.started;
    if (this.end === undefined) await (this.transport.detach(topics) as unknown);
  }
}

function unavailable(state: Exclude<State, 'running'>): LoopTransportError {
  return new LoopTransportError('unavailable', `The transport ${WHY_UNAVAILABLE[state]}.`);
}
