import type { LoopConnection } from '../connections/loop-connection.js';
import { LoopWsException } from '../loop-ws.errors.js';
import { CloseCode } from '../protocol/close-code.js';
import { ErrorCode } from '../protocol/error-code.js';
import type { Authenticator } from './authenticator.js';
import { CredentialsExpiry } from './credentials-expiry.js';
import type { Identity } from './identity.js';
import type { KeptRequest } from './kept-request.js';
import { UpgradeRefusal } from './refusal.js';

interface RefusedCredentials {
  readonly refused: ErrorCode;
  readonly message: string;
}

/** What came of new credentials: what the `ok` frame says of them, or why they were refused. */
export type RefreshedCredentials = { readonly expiresInMs?: number } | RefusedCredentials;

/** What a connection was let in with, for as long as that is good. */
export class Credentials {
  /** Absent while they do not expire. */
  private expiry: CredentialsExpiry | undefined;

  constructor(
    private readonly request: KeptRequest,
    private readonly connection: LoopConnection,
    private readonly authenticator: Authenticator,
  ) {}

  get expiresInMs(): { readonly expiresInMs?: number } {
    return this.expiry === undefined ? {} : { expiresInMs: this.expiry.leftMs };
  }

  /** Replaces what was set before. */
  expireAt(expiresAt: number | undefined): void {
    this.forget();
    if (expiresAt === undefined) return;
    this.expiry = new CredentialsExpiry(expiresAt, {
      onExpiring: () => this.connection.sendFrame({ op: 'expiring', ...this.expiresInMs }),
      onExpired: () =>
        this.connection.close(CloseCode.CredentialsExpired, 'The credentials have expired.'),
    });
  }

  forget(): void {
    this.expiry?.clear();
    this.expiry = undefined;
  }

  /**
   * Replaces the claims and the expiry, or leaves both for a token that is not good for this account. Rejects when
   * nobody can tell right now whether it is, and once the signal is aborted, as it is when the connection has ended.
   */
  async refresh(token: string, signal: AbortSignal): Promise<RefreshedCredentials> {
    const identity = await this.identify(token);
    signal.throwIfAborted();
    if ('refused' in identity) return identity;
    if (identity.accountId !== this.connection.accountId) {
      return { refused: ErrorCode.Forbidden, message: 'The token belongs to another account.' };
    }
    this.connection.refresh(identity.claims);
    this.expireAt(identity.expiresAt);
    return this.expiresInMs;
  }

  private async identify(token: string): Promise<Identity | RefusedCredentials> {
    try {
      return await this.authenticator.identify(this.request.withToken(token));
    } catch (error) {
      if (error instanceof UpgradeRefusal && error.status === 503) {
        throw new LoopWsException(ErrorCode.Unavailable, 'The token cannot be checked right now.');
      }
      return { refused: ErrorCode.Unauthorized, message: 'The token was refused.' };
    }
  }
}
