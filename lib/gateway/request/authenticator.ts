import { HttpException, Inject, Injectable } from '@nestjs/common';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../../loop-ws.settings.js';
import { SampledLogger } from '../../util/sampled-logger.js';
import { within } from '../../util/within.js';
import { completeIdentity, type Identity } from './identity.js';
import type { LoopRequest } from './loop-request.js';
import { refusalOf, tryLater, UpgradeRefusal } from './refusal.js';

/** Asks the application who is connecting. */
@Injectable()
export class Authenticator {
  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly logger: SampledLogger,
  ) {}

  /**
   * Settles within `authenticateTimeoutMs`. It rejects only with an {@link UpgradeRefusal}, whatever the application
   * throws.
   */
  async identify(request: LoopRequest): Promise<Identity> {
    const { authenticateTimeoutMs, retryAfterMs } = this.settings.config;
    const asked = this.ask(request);
    const identity = await within<Identity | undefined>(asked, authenticateTimeoutMs, () => {
      this.logger.warn(
        'authenticate',
        `authenticate did not settle within ${authenticateTimeoutMs} ms; the client must retry`,
      );
      throw tryLater(503, 'Authentication took too long.', retryAfterMs);
    });
    if (identity === undefined) throw new UpgradeRefusal(401, 'Unauthorized');
    return identity;
  }

  private async ask(request: LoopRequest): Promise<Identity | undefined> {
    try {
      const found = await this.settings.authenticate(request);
      if (found === null || found === undefined) return undefined;
      const identity = completeIdentity(found, request, this.settings.config.maxIdLength);
      return hasExpired(identity) ? undefined : identity;
    } catch (error) {
      if (error instanceof HttpException) throw refusalOf(error);
      this.logger.warn('authenticate', 'authenticate failed; the credentials were refused', error);
      throw new UpgradeRefusal(401, 'Unauthorized');
    }
  }
}

function hasExpired({ expiresAt = Infinity }: Identity): boolean {
  return expiresAt <= Date.now();
}
