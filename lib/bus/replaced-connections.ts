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

/** Closes connections on other servers whose identity a newer connection here has taken over. */
@Injectable()
export class ReplacedConnections {
  constructor(
    @Inject(BUS_SETTINGS) private readonly settings: BusSettings,
    private readonly transport: LoopTransport,
    private readonly logger: SampledLogger,
  ) {}

  /**
   * Resolves when the first order to close each of them has been answered or has timed out. An order that its server
   * may not have received is repeated a few times, until the newer connection closes.
   */
  async closeElsewhere(
    replaced: readonly PresenceRegistration[],
    newer: LoopConnection,
  ): Promise<void> {
    const elsewhere = replaced.filter(({ serverId }) => serverId !== this.settings.serverId);
    await Promise.all(elsewhere.map((older) => this.close(older, newer, PAUSES_MS)));
  }

  private async close(
    older: PresenceRegistration,
    newer: LoopConnection,
    [pauseMs, ...later]: readonly number[],
  ): Promise<void> {
    if (await this.isSurelyClosed(older)) return;
    if (pauseMs === undefined) return this.giveUp(older);
    setTimeout(() => {
      if (newer.state !== 'closed') void this.close(older, newer, later);
    }, pauseMs).unref();
  }

  private async isSurelyClosed({
    accountId,
    connectionId,
    registration,
  }: PresenceRegistration): Promise<boolean> {
    const order = {
      kind: 'disconnect',
      accountId,
      connectionId,
      registration,
      ...REPLACED,
    } as const;
    const timeoutMs = this.settings.config.receiptTimeoutMs;
    try {
      const { expected, replies } = await this.transport.publish(accountTopic(order), order, {
        timeoutMs,
        receipt: true,
      });
      return replies.length >= expected || replies.some(({ delivered }) => delivered > 0);
    } catch (error) {
      this.logger.warn('replaced', 'An older connection could not be closed yet', error);
      return false;
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
