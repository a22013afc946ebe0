import { Inject, Injectable, Logger } from '@nestjs/common';
import { DurableTopics } from '../history/durable-topics.js';
import { BUS_SETTINGS, type BusSettings } from '../loop-ws.settings.js';
import { type PresenceEdges, PresenceStore } from '../presence/presence-store.js';
import { LoopTransport } from '../transport/loop-transport.js';
import { TopicInterest } from '../transport/topic-interest.js';
import { within } from '../util/within.js';
import { DurableDelivery } from './durable-delivery.js';
import { RemoteMessages } from './remote-messages.js';

/** Starts and stops what this process shares with the other servers. */
@Injectable()
export class BusLifecycle {
  private readonly logger = new Logger('LoopWs');
  private presenceStart: Promise<void> | undefined;
  private isClosing = false;

  constructor(
    @Inject(BUS_SETTINGS) private readonly settings: BusSettings,
    private readonly transport: LoopTransport,
    private readonly presence: PresenceStore,
    private readonly remote: RemoteMessages,
    private readonly interest: TopicInterest,
    private readonly durable: DurableTopics,
    private readonly delivery: DurableDelivery,
  ) {}

  /**
   * Without `edges`, this process reports no presence edges and leaves them to the processes that do. Returns early if
   * a close overtakes it.
   */
  async start(edges?: PresenceEdges): Promise<void> {
    if (this.isClosing) return;
    const { serverId, config } = this.settings;
    this.durable.start(this.delivery);
    try {
      await this.transport.start({
        serverId,
        receive: (message) => this.remote.receive(message),
        mayHaveMissed: (topics) => void this.durable.mayHaveMissed(topics),
      });
    } catch (error) {
      this.closeTopics();
      throw error;
    }
    if (this.isClosing) return;
    const graceMs = config.presenceGraceMs;
    try {
      this.presenceStart = this.presence.start({ serverId, graceMs, ...(edges && { edges }) });
      await this.presenceStart;
    } catch (error) {
      // Nest closes nothing when a boot fails, and an open transport would keep the process alive.
      await this.closeTransport();
      throw error;
    }
  }

  async closePresence(): Promise<void> {
    this.isClosing = true;
    await Promise.allSettled([this.presenceStart]); // else a start in progress would leave the store open
    await this.presence.close();
  }

  async closeTransport(): Promise<void> {
    this.closeTopics();
    await this.inTime(this.transport.close(), 'The transport');
  }

  /** Waits for `work`, but at most `shutdownTimeoutMs`. */
  inTime(work: Promise<void>, what: string): Promise<void> {
    const { shutdownTimeoutMs } = this.settings.config;
    return within(work, shutdownTimeoutMs, () => {
      this.logger.warn(
        `${what} did not finish within ${shutdownTimeoutMs} ms; the shutdown continues without waiting any longer`,
      );
    });
  }

  private closeTopics(): void {
    this.interest.close();
    this.durable.close();
  }
}
