import { Inject, Injectable } from '@nestjs/common';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import { TokenBucket } from '../connections/token-bucket.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import type { Identity } from './request/identity.js';
import { tryLater, type UpgradeRefusal } from './request/refusal.js';
import { Sessions } from './session/sessions.js';

/** Decides whether this server accepts one more connection, both before and after the client is identified. */
@Injectable()
export class Admission {
  private readonly rate: TokenBucket;
  private pending = 0;
  private state: 'waiting' | 'open' | 'closed' = 'waiting';

  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly registry: ConnectionRegistry,
    private readonly sessions: Sessions,
  ) {
    const { upgradesPerSecond, upgradeBurst } = settings.config;
    this.rate = new TokenBucket(upgradesPerSecond, upgradeBurst);
  }

  /** Has no effect after {@link close}, because a shutdown may begin before the boot has finished. */
  open(): void {
    if (this.state === 'waiting') this.state = 'open';
  }

  close(): void {
    this.state = 'closed';
  }

  /** The refusal for every client while none can be admitted; `undefined` otherwise. */
  refusalForAnyone(): UpgradeRefusal | undefined {
    const refusal = this.refusalForOneMore(this.sessions.size + this.pending);
    if (refusal !== undefined) return refusal;
    return this.pending >= this.settings.config.maxPendingUpgrades ? this.tooFast() : undefined;
  }

  /**
   * Takes one upgrade from the rate limit; returns a refusal when none is left. Call it after the other checks, so that
   * requests that are refused anyway do not use up the limit.
   */
  refusalForRate(): UpgradeRefusal | undefined {
    return this.rate.take() ? undefined : this.tooFast();
  }

  /**
   * The refusal for this identity; `undefined` when it may connect. Call it in the turn of the event loop that creates
   * the session, so that clients that arrive together are counted one after another.
   */
  refusalFor(identity: Identity): UpgradeRefusal | undefined {
    const refusal = this.refusalForOneMore(this.sessions.size);
    if (refusal !== undefined) return refusal;
    return this.hasRoomFor(identity)
      ? undefined
      : this.later(429, 'This account has too many connections.');
  }

  /** Counts the upgrade as pending while it waits for `authenticate`. */
  async whilePending<T>(work: () => Promise<T>): Promise<T> {
    this.pending++;
    try {
      return await work();
    } finally {
      this.pending--;
    }
  }

  private refusalForOneMore(taken: number): UpgradeRefusal | undefined {
    if (this.state !== 'open')
      return this.later(503, 'This server is not accepting connections right now.');
    const isFull = taken >= this.settings.config.maxConnections;
    return isFull ? this.later(503, 'This server is full.') : undefined;
  }

  /** One socket over the limit is allowed when it replaces a connection with the same identity. */
  private hasRoomFor({ accountId, connectionId }: Identity): boolean {
    const replaces = this.registry.get(accountId, connectionId) !== undefined;
    const limit = this.settings.config.maxConnectionsPerAccount + (replaces ? 1 : 0);
    return this.sessions.sizeOf(accountId) < limit;
  }

  private tooFast(): UpgradeRefusal {
    return this.later(503, 'Too many connections are being opened.');
  }

  private later(status: 429 | 503, message: string): UpgradeRefusal {
    return tryLater(status, message, this.settings.config.retryAfterMs);
  }
}
