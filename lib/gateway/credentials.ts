import type { LoopConnection } from '../connections/loop-connection.js';
import { LoopWsException } from '../loop-ws.errors.js';
import { CloseCode } from '../protocol/close-code.js';
import { ErrorCode } from '../protocol/error-code.js';
import type { Authenticator } from './authenticator.js';
import { CredentialsExpiry } from './credentials-expiry.js';
import type { Admitted } from './handshake.js';
import type { Identity } from './identity.js';
import { withToken } from './loop-request.js';
import { UpgradeRefusal } from './refusal.js';

interface RefusedCredentials {
  readonly refused: ErrorCode;
  readonly message: string;
}

/** What came of new credentials: what the `ok` frame says of them, or why they were refused. */
export type RefreshedCredentials = { readonly expiresInMs?: number } | RefusedCredentials;

/** What a connection was let in with, for as long as that is good. */
export class Credentials {
  private readonly expiry: CredentialsExpiry;

  constructor(
    private readonly admitted: Admitted,
    private readonly connection: LoopConnection,
    private readonly authenticator: Authenticator,
  ) {
    this.expiry = new CredentialsExpiry(() =>
      connection.close(CloseCode.CredentialsExpired, 'The credentials have expired.'),
    );
    this.expiry.set(admitted.identity.expiresAt);
  }

  get expiresInMs(): { readonly expiresInMs?: number } {
    return this.expiry.expiresInMs;
  }

  forget(): void {
    this.expiry.clear();
  }

  /**
   * Replaces the claims and the expiry, or leaves both for a token that is not good for this account. Rejects when
   * nobody can tell right now whether it is.
   */
  async refresh(token: string): Promise<RefreshedCredentials> {
    const identity = await this.identify(token);
    if ('refused' in identity) return identity;
    if (identity.accountId !== this.connection.accountId) {
      return { refused: ErrorCode.Forbidden, message: 'The token belongs to another account.' };
    }
    if (this.connection.state !== 'closed') {
      this.connection.refresh(identity.claims);
      this.expiry.set(identity.expiresAt);
    }
    return this.expiresInMs;
  }

  private async identify(token: string): Promise<Identity | RefusedCredentials> {
    try {
      return await this.authenticator.identify(withToken(this.admitted.request, token));
    } catch (error) {
      if (error instanceof UpgradeRefusal && error.status === 503) {
        throw new LoopWsException(ErrorCode.Unavailable, 'The token cannot be checked right now.');
      }
      return { refused: ErrorCode.Unauthorized, message: 'The token was refused.' };
    }
  }
}
