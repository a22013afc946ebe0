import { Inject, Injectable } from '@nestjs/common';
import { REPLACED } from '../connections/replaced.js';
import { BUS_SETTINGS, type BusSettings } from '../loop-ws.settings.js';
import type { PresenceRegistration } from '../presence/presence-store.js';
import { LoopTransport } from '../transport/loop-transport.js';
import { accountTopic } from '../transport/topic.js';

/** Closes connections on other servers whose identity a newer connection here has taken over. */
@Injectable()
export class ReplacedConnections {
  constructor(
    @Inject(BUS_SETTINGS) private readonly settings: BusSettings,
    private readonly transport: LoopTransport,
  ) {}

  async closeElsewhere(replaced: readonly PresenceRegistration[]): Promise<void> {
    const elsewhere = replaced.filter(({ serverId }) => serverId !== this.settings.serverId);
    await Promise.all(elsewhere.map((registration) => this.close(registration)));
  }

  private async close({
    accountId,
    connectionId,
    registration,
  }: PresenceRegistration): Promise<void> {
    const order = {
      kind: 'disconnect',
      accountId,
      connectionId,
      registration,
      ...REPLACED,
    } as const;
    const timeoutMs = this.settings.config.receiptTimeoutMs;
    await this.transport.publish(accountTopic(order), order, { timeoutMs, receipt: true });
  }
}
