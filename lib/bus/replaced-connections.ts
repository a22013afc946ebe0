import { Inject, Injectable } from '@nestjs/common';
import type { LoopConnection } from '../connections/loop-connection.js';
import { REPLACED } from '../connections/replaced.js';
import { BUS_SETTINGS, type BusSettings } from '../loop-ws.settings.js';
import type { PresenceRegistration } from '../presence/presence-store.js';
import { LoopTransport } from '../transport/loop-transport.js';
import { accountTopic } from '../transport/topic.js';
import { SampledLogger } from '../util/sampled-logger.js';

/**
 * Pauses before an order is repeated that its server may not have received, in milliseconds: five orders in half a
 * minute.
 */
const PAUSES_MS: readonly number[] = [500, 2_000, 8_000, 20_000];

/** What became of a connection that was to be replaced. */
type Outcome = 'closed' | 'newer' | 'unknown';

/**
 * Closes connections on other servers whose identity a connection here has taken over. The one that was opened first
 * closes, however long either took to get ready.
 */
@Injectable()
export class ReplacedConnections {
  constructor(
    @Inject(BUS_SETTINGS) private readonly settings: BusSettings,
    private readonly transport: LoopTransport,
    private readonly logger: SampledLogger,
  ) {}

  /**
   * Resolves when the first order to close each of them has been answered or has timed out. An order that its server
   * may not have received is repeated a few times, until `successor` closes.
   */
  async closeElsewhere(
    replaced: readonly PresenceRegistration[],
    successor: LoopConnection,
  ): Promise<void> {
    const elsewhere = replaced.filter(({ serverId }) => serverId !== this.settings.serverId);
    await Promise.all(elsewhere.map((one) => this.close(one, successor, PAUSES_MS)));
  }

  private async close(
    replaced: PresenceRegistration,
    successor: LoopConnection,
    [pauseMs, ...later]: readonly number[],
  ): Promise<void> {
    const outcome = await this.order(replaced, successor);
    if (outcome === 'newer') successor.close(REPLACED.code, REPLACED.reason);
    if (outcome !== 'unknown') return;
    if (pauseMs === undefined) return this.giveUp(replaced);
    setTimeout(() => {
      if (successor.state !== 'closed') void this.close(replaced, successor, later);
    }, pauseMs).unref();
  }

  private async order(
    { accountId, registration }: PresenceRegistration,
    { ageMs }: LoopConnection,
  ): Promise<Outcome> {
    const order = { kind: 'replace', accountId, registration, ageMs } as const;
    const timeoutMs = this.settings.config.receiptTimeoutMs;
    try {
      const { expected, replies } = await this.transport.publish(accountTopic(order), order, {
        timeoutMs,
        receipt: true,
      });
      if (replies.some(({ filtered }) => filtered > 0)) return 'newer';
      const isClosed = replies.some(({ delivered }) => delivered > 0);
      return isClosed || replies.length >= expected ? 'closed' : 'unknown';
    } catch (error) {
      this.logger.warn('replaced', 'An older connection could not be closed yet', error);
      return 'unknown';
    }
  }

  private giveUp({ accountId, connectionId, serverId }: PresenceRegistration): void {
    this.logger.warn(
      'replaced for good',
      `The older connection ${accountId}/${connectionId} may still be open on server ${serverId}, which did not ` +
        'confirm closing it. Check whether that server is running and reaches Redis',
    );
  }
}
